# Random tables, four-fold and larger, with empty cells. Odds ratios are solved on the log scale.
source("../r/json.R")
set.seed(109)
four_fold <- function(id, t) {
  m <- sum(t[1, ]); n <- sum(t[2, ]); k <- sum(t[, 1]); x <- t[1, 1]
  lo <- max(0, k - n); hi <- min(k, m); support <- lo:hi
  logdc <- dhyper(support, m, n, k, log = TRUE)
  d <- function(theta) { w <- logdc + theta * support; w <- exp(w - max(w)); w / sum(w) }
  mean_of <- function(theta) sum(support * d(theta))
  solve <- function(f) exp(uniroot(f, c(-60, 60), tol = 1e-15, maxiter = 10000)$root)
  p <- exp(logdc)
  two <- sum(p[p <= p[support == x] * (1 + 1e-7)])
  f <- function(side) one(fisher.test(t, alternative = side)$p.value)
  ch <- suppressWarnings(chisq.test(t, correct = FALSE)); y <- suppressWarnings(chisq.test(t))
  case(id, list(table_rows = rows(t)), list(p_two_sided = f("two.sided"), p_less = f("less"), p_greater = f("greater"),
    sample_or = one(t[1, 1] * t[2, 2] / (t[1, 2] * t[2, 1])), mid_p_two_sided_minlike = one(two - p[support == x] / 2),
    conditional_mle_or = one(if (x == lo) 0 else if (x == hi) Inf else solve(function(th) mean_of(th) - x)),
    or_ci95 = c(if (x == lo) 0 else solve(function(th) sum(d(th)[support >= x]) - 0.025),
      if (x == hi) Inf else solve(function(th) sum(d(th)[support <= x]) - 0.025)),
    chisq = one(ch$statistic), chisq_p = one(ch$p.value), chisq_yates_p = one(y$p.value)))
}
larger <- function(id, t) {
  ch <- suppressWarnings(chisq.test(t, correct = FALSE))
  case(id, list(table_rows = rows(t)), list(p_two_sided = one(fisher.test(t, workspace = 2e8)$p.value),
    chisq = one(ch$statistic), chisq_df = one(ch$parameter), chisq_p = one(ch$p.value)))
}
full <- function(t) all(rowSums(t) > 0) && all(colSums(t) > 0)
cases <- list(four_fold("one_each", matrix(c(1, 0, 0, 1), 2)), four_fold("opposite", matrix(c(0, 6, 5, 0), 2)),
  four_fold("equal", matrix(c(10, 10, 10, 10), 2)), four_fold("large", matrix(c(310, 280, 95, 140), 2)))
for (mean in c(1.5, 4, 12, 40)) for (i in 1:5) { repeat { t <- matrix(rpois(4, mean), 2); if (full(t)) break }
  cases <- c(cases, list(four_fold(paste0("mean", mean, "_", i), t))) }
for (size in list(c(2, 3), c(3, 2), c(3, 3), c(2, 5), c(4, 3), c(5, 2), c(4, 5))) for (mean in c(2, 5)) {
  if (prod(size) * mean > 60) next
  repeat { t <- matrix(rpois(prod(size), mean), size[1]); if (full(t)) break }
  cases <- c(cases, list(larger(paste0("r", size[1], "c", size[2], "mean", mean), t)))
}
write_cases("fisher_exact", "fisher.test(m); chisq.test(m, correct=FALSE); dhyper and uniroot for odds ratios", cases)
