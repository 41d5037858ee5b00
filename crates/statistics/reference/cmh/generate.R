# Random strata: balanced and not, strata without information, zero cells, larger tables.
source("../r/json.R")
set.seed(110)
of <- function(id, a) {
  u <- mantelhaen.test(a, correct = FALSE); k <- mantelhaen.test(a, correct = TRUE); e <- mantelhaen.test(a, exact = TRUE)
  m <- apply(a, 3, function(t) sum(t[1, ])); n <- apply(a, 3, function(t) sum(t[2, ])); s1 <- apply(a, 3, function(t) sum(t[, 1]))
  or <- as.vector(u$estimate); bd <- 0; spread <- 0; excess <- 0
  for (i in seq_along(m)) {
    lo <- max(0, s1[i] - n[i]); hi <- min(m[i], s1[i])
    if (lo == hi) next
    fit <- uniroot(function(x) x * (n[i] - s1[i] + x) - or * (m[i] - x) * (s1[i] - x), c(lo, hi), tol = 1e-15, maxiter = 1e4)$root
    v <- 1 / (1 / fit + 1 / (m[i] - fit) + 1 / (s1[i] - fit) + 1 / (n[i] - s1[i] + fit))
    bd <- bd + (a[1, 1, i] - fit)^2 / v; spread <- spread + v; excess <- excess + a[1, 1, i] - fit
  }
  df <- dim(a)[3] - 1
  out <- list(chisq = one(u$statistic), p = one(u$p.value), chisq_cc = one(k$statistic), p_cc = one(k$p.value),
    common_or_mh = one(or), or_ci95_rbg = as.vector(u$conf.int), exact_S = one(sum(a[1, 1, ])), exact_p = one(e$p.value),
    breslow_day = one(bd), breslow_day_tarone = one(bd - excess^2 / spread), breslow_day_df = one(df),
    breslow_day_p = one(pchisq(bd, df, lower = FALSE)), tarone_p = one(pchisq(bd - excess^2 / spread, df, lower = FALSE)))
  case(id, list(dim = dim(a), array_column_major = as.vector(a)), out)
}
general <- function(id, a) {
  g <- mantelhaen.test(a)
  case(id, list(dim = dim(a), array_column_major = as.vector(a)),
    list(general_association_M2 = one(g$statistic), df = one(g$parameter), p = one(g$p.value)))
}
cases <- list()
for (strata in c(2, 3, 7)) for (mean in c(3, 9, 30)) {
  repeat { a <- array(rpois(4 * strata, mean), c(2, 2, strata)); if (all(apply(a, 3, function(t) min(rowSums(t), colSums(t))) > 0)) break }
  cases <- c(cases, list(of(paste0("k", strata, "mean", mean), a)))
}
for (size in list(c(2, 3, 2), c(3, 2, 4), c(4, 3, 3), c(3, 5, 2)))
  cases <- c(cases, list(general(paste(size, collapse = "x"), array(rpois(prod(size), 6) + 1, size))))
write_cases("cmh", "mantelhaen.test(a, correct=|exact=); Breslow-Day and Tarone by formula", cases)
