# All counts of small series, and some of larger ones.
source("../r/json.R")
of <- function(x, n, p0) {
  test <- function(side) binom.test(x, n, p0, alternative = side)$p.value
  out <- list(estimate = one(x / n), exact_test_p_two_sided = one(test("two.sided")), exact_test_p_less = one(test("less")),
    exact_test_p_greater = one(test("greater")))
  p <- x / n
  for (level in c(0.9, 0.95, 0.99)) {
    a <- (1 - level) / 2; z <- qnorm(1 - a); key <- function(name) paste0(name, "_", 100 * level)
    prop <- function(correct) as.vector(suppressWarnings(prop.test(x, n, conf.level = level, correct = correct))$conf.int)
    out[[key("clopper_pearson")]] <- as.vector(binom.test(x, n, conf.level = level)$conf.int)
    out[[key("wilson")]] <- prop(FALSE)
    out[[key("wilson_cc")]] <- prop(TRUE)
    pt <- (x + z^2 / 2) / (n + z^2)
    out[[key("agresti_coull")]] <- pt + c(-1, 1) * z * sqrt(pt * (1 - pt) / (n + z^2))
    out[[key("jeffreys")]] <- c(if (x == 0) 0 else qbeta(a, x + 0.5, n - x + 0.5), if (x == n) 1 else qbeta(1 - a, x + 0.5, n - x + 0.5))
    out[[key("wald")]] <- p + c(-1, 1) * z * sqrt(p * (1 - p) / n)
    lower <- function(q) pbinom(x, n, q, lower.tail = FALSE) + dbinom(x, n, q) / 2 - a
    upper <- function(q) pbinom(x - 1, n, q) + dbinom(x, n, q) / 2 - a
    out[[key("mid_p")]] <- c(if (x == 0) 0 else solve_root(lower, 0, 1), if (x == n) 1 else solve_root(upper, 0, 1))
  }
  case(paste0("x", x, "n", n, "p", p0), list(x = one(x), n = one(n), p0 = one(p0)), out)
}
cases <- list()
for (n in c(1, 2, 5, 12)) for (x in 0:n) cases <- c(cases, list(of(x, n, 0.3)))
for (p0 in c(0.01, 0.5, 0.97)) cases <- c(cases, list(of(7, 30, p0), of(15, 30, p0), of(999, 1000, p0), of(3, 1000, p0), of(280, 611, p0)))
write_cases("binomial_one_sample", "binom.test(x, n, p0); prop.test(x, n, correct=); qbeta; uniroot for mid-p", cases)
