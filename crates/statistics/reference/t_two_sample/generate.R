# Random arms: equal and unequal sizes and variances.
source("../r/json.R")
set.seed(104)
of <- function(id, x, y) {
  part <- function(equal) {
    t <- t.test(x, y, var.equal = equal)
    p <- function(side) one(t.test(x, y, var.equal = equal, alternative = side)$p.value)
    list(estimate = as.vector(t$estimate), stderr = one(t$stderr), t = one(t$statistic), df = one(t$parameter),
      p_two_sided = one(t$p.value), p_less = p("less"), p_greater = p("greater"), ci95 = as.vector(t$conf.int))
  }
  v <- var.test(x, y)
  case(id, list(x = x, y = y), list(welch = part(FALSE), pooled = part(TRUE), var_test = list(F = one(v$statistic),
    df = as.vector(v$parameter), p = one(v$p.value), ci95 = as.vector(v$conf.int))))
}
cases <- list(of("two_two", c(1, 4), c(2, 8.5)), of("missing", c(1, NA, 3, 2.5), c(2, 4, NA)))
for (sizes in list(c(2, 5), c(3, 3), c(6, 20), c(14, 14), c(40, 9), c(100, 120))) for (ratio in c(1, 8))
  cases <- c(cases, list(of(paste0("m", sizes[1], "n", sizes[2], "sd", ratio), round(rnorm(sizes[1], 10, 3), 2),
    round(rnorm(sizes[2], 12, 3 * ratio), 2))))
write_cases("t_two_sample", "t.test(x, y); t.test(x, y, var.equal=TRUE); var.test(x, y)", cases)
