# Random series and arms, with and without ties; wilcox.test's own interval is asserted where there are none.
source("../r/json.R")
set.seed(107)
exact <- function(all, tail_of, cdf, level) {
  a <- (1 - level) / 2
  k <- max(tail_of(a), 1)
  s <- sort(all)
  list(k = one(k), lower = one(s[k]), upper = one(s[length(s) + 1 - k]), achieved_level = one(1 - 2 * cdf(k - 1)))
}
one_sample <- function(id, x) {
  n <- length(x)
  walsh <- outer(x, x, "+")[lower.tri(diag(n), diag = TRUE)] / 2
  out <- list(estimate_median_of_walsh_averages = one(median(walsh)))
  for (level in c(0.9, 0.95, 0.99)) {
    e <- exact(walsh, function(a) qsignrank(a, n), function(q) psignrank(q, n), level)
    if (!any(duplicated(abs(x))) && all(x != 0) && n > 6)
      stopifnot(all.equal(as.vector(wilcox.test(x, conf.int = TRUE, exact = TRUE, conf.level = level)$conf.int),
        c(e$lower, e$upper), check.attributes = FALSE))
    out[[paste0("ci_exact_", 100 * level)]] <- e
  }
  case(id, list(x = x), out)
}
two_sample <- function(id, x, y) {
  m <- length(x); n <- length(y); d <- as.vector(outer(x, y, "-"))
  out <- list(estimate_median_of_differences = one(median(d)))
  for (level in c(0.9, 0.95, 0.99)) {
    out[[paste0("ci_exact_", 100 * level)]] <- exact(d, function(a) qwilcox(a, m, n), function(q) pwilcox(q, m, n), level)
    k <- max(floor(m * n / 2 - qnorm((1 + level) / 2) * sqrt(m * n * (m + n + 1) / 12)), 1)
    s <- sort(d)
    out[[paste0("ci_moses_normal_", 100 * level)]] <- list(k = one(k), lower = one(s[k]), upper = one(s[m * n + 1 - k]))
  }
  case(id, list(x = x, y = y), out)
}
cases <- list(one_sample("one", 2.5), one_sample("two", c(1, 4)), two_sample("one_one", 3, 1))
for (n in c(5, 8, 13, 24, 60)) cases <- c(cases, list(one_sample(paste0("continuous", n), round(rnorm(n, 1), 5)),
  one_sample(paste0("score", n), sample(-7:5, n, TRUE))))
for (sizes in list(c(2, 7), c(5, 5), c(14, 14), c(30, 11))) {
  name <- paste0("m", sizes[1], "n", sizes[2])
  cases <- c(cases, list(two_sample(paste0("continuous_", name), round(rnorm(sizes[1]), 5), round(rnorm(sizes[2]), 5)),
    two_sample(paste0("score_", name), sample(0:8, sizes[1], TRUE), sample(0:8, sizes[2], TRUE))))
}
write_cases("hodges_lehmann", "median of Walsh averages or differences; order statistics at qsignrank, qwilcox", cases)
