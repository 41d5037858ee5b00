# Random differences: scores with ties and zeros, continuous ones, tiny and larger series, one sign only.
source("../r/json.R")
suppressWarnings({ library(exactRankTests); library(coin) })
set.seed(105)
sides <- c("two.sided", "less", "greater")
of <- function(id, d) {
  nz <- d[d != 0]; n <- length(nz)
  r <- rank(abs(nz)); v <- sum(r[nz > 0])
  ties <- any(duplicated(abs(nz)))
  out <- list(n = one(length(d)), n_zero = one(sum(d == 0)), ties_in_abs = one(ties), V = one(v),
    sum_ranks_negative = one(sum(r[nz < 0])))
  for (side in sides) {
    suffix <- sub("\\.", "_", side)
    w <- function(...) one(suppressWarnings(wilcox.test(d, alternative = side, ...))$p.value)
    if (!ties && all(d != 0)) out[[paste0("wilcox.test_exact_p_", suffix)]] <- w(exact = TRUE)
    out[[paste0("wilcox.test_normal_cc_p_", suffix)]] <- w(exact = FALSE, correct = TRUE)
    out[[paste0("wilcox.test_normal_nocc_p_", suffix)]] <- w(exact = FALSE, correct = FALSE)
    out[[paste0("wilcox.exact_dropzeros_exact_p_", suffix)]] <-
      one(suppressWarnings(wilcox.exact(nz, alternative = side, exact = TRUE))$p.value)
  }
  for (zero in c("Pratt", "Wilcoxon")) {
    data <- data.frame(y = d, x = 0)
    run <- function(distribution, side = "two.sided")
      wilcoxsign_test(y ~ x, data = data, zero.method = zero, distribution = distribution, alternative = side)
    part <- list(z = one(as.numeric(statistic(run("asymptotic")))),
      p_asymptotic_two_sided = one(as.numeric(pvalue(run("asymptotic")))))
    for (side in sides) part[[paste0("p_exact_", sub("\\.", "_", side))]] <- one(as.numeric(pvalue(run("exact", side))))
    out[[paste0("coin_", zero)]] <- part
  }
  out$sign_test_exact_p <- one(binom.test(sum(nz > 0), n)$p.value)
  if (n > 1) {
    s <- v - n * (n + 1) / 4
    t <- table(abs(nz))
    variance <- n * (n + 1) * (2 * n + 1) / 24 - sum(t^3 - t) / 48
    if (n * variance - s^2 > 1e-9) {
      stat <- s * sqrt(n - 1) / sqrt(n * variance - s^2)
      out$sas_univariate <- list(S = one(s), V = one(variance), t = one(stat), df = one(n - 1),
        p_t_approx = one(2 * pt(-abs(stat), n - 1)))
    }
  }
  case(id, list(d = d), out)
}
cases <- list(of("two", c(1.5, -2.5)), of("all_positive", c(1, 2, 3, 4, 5.5)), of("equal_sizes", c(2, -2, 2, 2, -2, 2)),
  of("mostly_zero", c(0, 0, 0, 0, 3, -1, 0, 2)), of("centre", c(-1, 1, -2, 2, 0)))
for (n in c(5, 9, 13, 20, 35, 49)) cases <- c(cases, list(
  of(paste0("score", n), sample(-8:6, n, replace = TRUE)), of(paste0("continuous", n), round(rnorm(n, -0.4), 6)),
  of(paste0("half", n), sample(seq(-3, 4, 0.5), n, replace = TRUE))))
cases <- c(cases, list(of("score120", sample(-15:18, 120, replace = TRUE))))
write_cases("wilcoxon_signed_rank", "wilcox.test(d); exactRankTests::wilcox.exact(d); coin::wilcoxsign_test(y ~ x)", cases,
  c("exactRankTests", "coin"))
