# Descriptive statistics of random series: ties, one and two values, missing ones, large offsets, zeros and negatives.
source("../r/json.R")
set.seed(101)
of <- function(id, x) {
  given <- x
  x <- x[!is.na(x)]
  n <- length(x); m <- mean(x)
  q <- function(p, type) as.vector(quantile(x, p, type = type))
  positive <- all(x > 0)
  out <- list(n = one(n), mean = one(m), sd = one(sd(x)), se = one(sd(x) / sqrt(n)), var = one(var(x)),
    median = one(median(x)), min = one(min(x)), max = one(max(x)),
    quartiles_type2_SAS_PCTLDEF5 = q(1:3 / 4, 2), quartiles_type6_SPSS_PCTLDEF4 = q(1:3 / 4, 6),
    quartiles_type7_R_default = q(1:3 / 4, 7), p05_p95_type2 = q(c(.05, .95), 2),
    p05_p95_type6 = q(c(.05, .95), 6), p05_p95_type7 = q(c(.05, .95), 7),
    mad_1.4826 = one(mad(x)), geo_mean = one(if (positive) exp(mean(log(x))) else NA),
    geo_cv_percent = one(if (positive && n > 1) 100 * sqrt(expm1(var(log(x)))) else NA))
  if (n > 1) out <- c(out, list(mean_ci95_t = as.vector(t.test(x)$conf.int), cv_percent = one(100 * sd(x) / m),
    skewness_g1 = one(mean((x - m)^3) / mean((x - m)^2)^1.5)))
  case(id, list(x = given), out)
}
cases <- list(of("one", 3.7), of("two", c(4.5, -1.25)), of("missing", c(1.5, NA, 2.25, NA, 8, 3)),
  of("offset", 1e6 + round(rnorm(25), 3)), of("zeros", c(0, 0, 0, 0, 1, 5)), of("tied", rep(c(2, 7), c(9, 4))))
for (n in c(3, 5, 7, 8, 11, 16, 20, 21, 37, 40, 101))
  cases <- c(cases, list(of(paste0("normal", n), round(rnorm(n, 20, 8), 2)), of(paste0("skew", n), signif(rlnorm(n), 4)),
    of(paste0("score", n), rpois(n, 3))))
write_cases("descriptive", "mean, sd, quantile(x, type=)", cases)
