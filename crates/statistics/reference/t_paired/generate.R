# Random pairs: strong and weak correlation, ties, missing partners, two pairs.
source("../r/json.R")
set.seed(103)
of <- function(id, pre, post) {
  ok <- !is.na(pre) & !is.na(post)
  a <- pre[ok]; b <- post[ok]
  t <- t.test(b, a, paired = TRUE)
  p <- function(side) one(t.test(b, a, paired = TRUE, alternative = side)$p.value)
  case(id, list(pre = pre, post = post), list(estimate = mean(b - a), stderr = one(t$stderr), t = one(t$statistic),
    df = one(t$parameter), p_two_sided = one(t$p.value), p_less = p("less"), p_greater = p("greater"),
    ci95 = as.vector(t$conf.int), sd_diff = one(sd(b - a)), cohen_dz = one(mean(b - a) / sd(b - a)),
    pearson_r = one(cor(a, b))))
}
cases <- list(of("two", c(3, 5.5), c(4.25, 5)), of("missing", c(20, NA, 31, 28, 25), c(18, 20, NA, 30, 21)))
for (n in c(3, 6, 14, 30, 120)) for (rho in c(0, 0.9)) {
  z <- rnorm(n)
  pre <- round(25 + 7 * z); post <- round(22 + 7 * (rho * z + sqrt(1 - rho^2) * rnorm(n)))
  cases <- c(cases, list(of(paste0("n", n, "rho", rho), pre, post)))
}
write_cases("t_paired", "t.test(post, pre, paired=TRUE)", cases)
