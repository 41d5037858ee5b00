# How often R's own asymptotic tests reject at 5 % where nothing is to be found, in set-ups that strain them: few participants,
# skewed or coarse values, unequal spread. A program that computes the same tests must reject as often, right or wrong.
#
# Run: Rscript type_one_errors.R > type_one_errors.csv     (base R and the package survival)
suppressWarnings(library(survival))
set.seed(20260728)
cat("test,trials,rate\n")
say <- function(test, trials, one) {
  p <- suppressWarnings(replicate(trials, one()))
  # A trial on which a test can't be computed does not reject.
  p[is.na(p)] <- 1
  cat(sprintf("%s,%d,%.6f\n", test, trials, mean(p <= 0.05)))
}
N <- 40000
skewed <- function(n) rexp(n) - 1
say("t_paired_skewed_10", N, function() t.test(skewed(10))$p.value)
say("t_welch_8_20_sd_3_1", N, function() t.test(rnorm(8, 0, 3), rnorm(20))$p.value)
say("t_welch_skewed_7_14", N, function() t.test(skewed(7), skewed(14))$p.value)
say("t_pooled_8_20_sd_3_1", N, function() t.test(rnorm(8, 0, 3), rnorm(20), var.equal = TRUE)$p.value)
say("rank_sum_normal_rounded_9_12", N, function() wilcox.test(round(2 * rnorm(9)), round(2 * rnorm(12)), exact = FALSE, correct = FALSE)$p.value)
say("rank_sum_normal_half_rounded_9_12", N, function() wilcox.test(round(2 * rnorm(9)), round(2 * rnorm(12)), exact = FALSE)$p.value)
say("signed_rank_normal_half_rounded_14", N, function() wilcox.test(round(2 * rnorm(14)), exact = FALSE)$p.value)
say("kruskal_wallis_5_5_6", N, function() kruskal.test(round(2 * rnorm(16)), rep(1:3, c(5, 5, 6)))$p.value)
fourfold <- function() { a <- rbinom(1, 15, 0.25); c <- rbinom(1, 15, 0.25); rbind(c(a, 15 - a), c(c, 15 - c)) }
say("chi_squared_15_15", N, function() chisq.test(fourfold(), correct = FALSE)$p.value)
say("chi_squared_yates_15_15", N, function() chisq.test(fourfold())$p.value)
# Of 25 pairs each disagrees in either sense with chance 0.15.
say("mcnemar_corrected_25", N, function() {
  kind <- rmultinom(1, 25, c(0.15, 0.15, 0.7)); mcnemar.test(matrix(c(kind[3], kind[1], kind[2], 0), 2))$p.value })
strata <- function() sapply(c(0.2, 0.4, 0.6), function(p) { a <- rbinom(1, 8, p); c <- rbinom(1, 6, p); c(a, 8 - a, c, 6 - c) })
# In R's tables the arms are columns.
say("mantel_haenszel_3_strata", N, function() mantelhaen.test(array(strata(), c(2, 2, 3)), correct = FALSE)$p.value)
say("ancova_skewed_9_9", 20000, function() {
  arm <- rep(1:0, each = 9); before <- rnorm(18); y <- 0.6 * before + skewed(18) * (1 + arm); summary(lm(y ~ arm + before))$coefficients[2, 4] })
say("log_rank_20_20", 20000, function() {
  time <- rexp(40); seen <- runif(40, 0.3, 2); survdiff(Surv(pmin(time, seen), time <= seen) ~ rep(0:1, each = 20))$pvalue })
say("cox_wald_12_12", 20000, function() {
  time <- rexp(24); seen <- runif(24, 0.3, 2)
  summary(coxph(Surv(pmin(time, seen), time <= seen) ~ rep(0:1, each = 12)))$coefficients[1, 5] })
say("logistic_wald_40", 20000, function() {
  x <- skewed(40); y <- runif(40) < 0.3; summary(glm(y ~ x, family = binomial))$coefficients[2, 4] })
