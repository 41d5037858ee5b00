# Random arms: ties, unequal sizes, one against many, larger arms with ties.
source("../r/json.R")
suppressWarnings({ library(exactRankTests); library(coin) })
set.seed(106)
of <- function(id, x, y) {
  m <- length(x); n <- length(y)
  r <- rank(c(x, y)); w <- sum(r[1:m]) - m * (m + 1) / 2
  ties <- any(duplicated(c(x, y)))
  out <- list(ties = one(ties), W = one(w), rank_sum_x = one(sum(r[1:m])), prob_x_gt_y_plus_half_ties = one(w / (m * n)))
  for (side in c("two.sided", "less", "greater")) {
    suffix <- sub("\\.", "_", side)
    p <- function(...) one(suppressWarnings(wilcox.test(x, y, alternative = side, ...))$p.value)
    if (!ties) out[[paste0("wilcox.test_exact_p_", suffix)]] <- p(exact = TRUE)
    out[[paste0("wilcox.test_normal_cc_p_", suffix)]] <- p(exact = FALSE, correct = TRUE)
    out[[paste0("wilcox.test_normal_nocc_p_", suffix)]] <- p(exact = FALSE, correct = FALSE)
    out[[paste0("wilcox.exact_p_", suffix)]] <-
      one(suppressWarnings(wilcox.exact(x, y, alternative = side, exact = TRUE))$p.value)
  }
  data <- data.frame(v = c(x, y), g = factor(rep(c("x", "y"), c(m, n))))
  a <- wilcox_test(v ~ g, data = data); e <- wilcox_test(v ~ g, data = data, distribution = exact())
  out$coin <- list(z = one(as.numeric(statistic(a))), p_asymptotic_two_sided = one(as.numeric(pvalue(a))),
    p_exact_two_sided = one(as.numeric(pvalue(e))))
  if (sum(data$v > median(data$v)) > 0) {
    a <- median_test(v ~ g, data = data); e <- median_test(v ~ g, data = data, distribution = exact())
    out$coin_median_test <- list(z = one(as.numeric(statistic(a))), p_asymptotic = one(as.numeric(pvalue(a))),
      p_exact = one(as.numeric(pvalue(e))))
  }
  out$medians <- c(median(x), median(y))
  k <- kruskal.test(list(x, y))
  out$kruskal <- list(chisq = one(k$statistic), df = one(k$parameter), p = one(k$p.value))
  case(id, list(x = x, y = y), out)
}
cases <- list(of("one_one", 2, 1), of("one_many", 5, c(1, 2, 3, 7)), of("two_values", c(0, 1, 1, 1, 0), c(0, 0, 0, 1)),
  of("apart", c(10, 11, 12, 13), c(1, 2, 3)), of("same", c(1, 2, 3), c(1, 2, 3)))
for (sizes in list(c(3, 4), c(5, 9), c(14, 14), c(20, 7), c(33, 41))) {
  name <- paste0("m", sizes[1], "n", sizes[2])
  cases <- c(cases, list(
    of(paste0("score_", name), sample(0:9, sizes[1], TRUE), sample(2:11, sizes[2], TRUE)),
    of(paste0("continuous_", name), round(rnorm(sizes[1]), 7), round(rnorm(sizes[2], 0.6), 7)),
    of(paste0("rounded_", name), round(rnorm(sizes[1]), 1), round(rnorm(sizes[2], 0.3), 1))))
}
write_cases("mann_whitney", "wilcox.test(x, y); exactRankTests::wilcox.exact(x, y); coin::wilcox_test, median_test", cases,
  c("exactRankTests", "coin"))
