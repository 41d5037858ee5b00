# Random pairs of proportions, with and without empty cells. The restricted estimates of Miettinen and Nurminen come from a
# numerical search here, not from the closed form.
source("../r/json.R")
set.seed(108)
newcombe <- function(x1, n1, x2, n2, level, correct) {
  w <- function(x, n) as.vector(suppressWarnings(prop.test(x, n, conf.level = level, correct = correct))$conf.int)
  a <- w(x1, n1); b <- w(x2, n2); p <- x1 / n1; q <- x2 / n2
  c(p - q - sqrt((p - a[1])^2 + (b[2] - q)^2), p - q + sqrt((a[2] - p)^2 + (q - b[1])^2))
}
mn <- function(x1, n1, x2, n2, level) {
  p <- x1 / n1; q <- x2 / n2; n <- n1 + n2; z <- qnorm((1 + level) / 2)
  score <- function(d) {
    # the likelihood in the second proportion, given the difference, is unimodal
    slope <- function(r) x1 / (r + d) - (n1 - x1) / (1 - r - d) + x2 / r - (n2 - x2) / (1 - r)
    low <- max(0, -d); high <- min(1, 1 - d); e <- 1e-15
    at_low <- if (is.nan(slope(low + e))) -1 else slope(low + e)
    r <- if (slope(low + e) <= 0) low else if (slope(high - e) >= 0) high else
      uniroot(slope, c(low + e, high - e), tol = 1e-16, maxiter = 10000)$root
    v <- ((r + d) * (1 - r - d) / n1 + r * (1 - r) / n2) * n / (n - 1)
    (p - q - d) / sqrt(max(v, 1e-300))
  }
  limit <- function(target, low, high) {
    f <- function(d) score(d) - target
    if (f(low) * f(high) > 0) return(if (abs(f(low)) < abs(f(high))) low else high)
    solve_root(f, low, high)
  }
  c(limit(z, -1 + 1e-12, p - q - 1e-13), limit(-z, p - q + 1e-13, 1 - 1e-12))
}
of <- function(x1, n1, x2, n2) {
  p <- x1 / n1; q <- x2 / n2
  out <- list(p1 = one(p), p2 = one(q), diff = one(p - q))
  inner <- all(c(x1, n1 - x1, x2, n2 - x2) > 0)
  for (level in c(0.9, 0.95, 0.99)) {
    z <- qnorm((1 + level) / 2); key <- function(name) paste0(name, "_", 100 * level)
    out[[key("newcombe_hybrid_score")]] <- newcombe(x1, n1, x2, n2, level, FALSE)
    out[[key("newcombe_hybrid_score_cc")]] <- newcombe(x1, n1, x2, n2, level, TRUE)
    out[[key("wald")]] <- p - q + c(-1, 1) * z * sqrt(p * (1 - p) / n1 + q * (1 - q) / n2)
    a <- (x1 + 1) / (n1 + 2); b <- (x2 + 1) / (n2 + 2)
    out[[key("agresti_caffo")]] <- a - b + c(-1, 1) * z * sqrt(a * (1 - a) / (n1 + 2) + b * (1 - b) / (n2 + 2))
    if (inner) out[[key("miettinen_nurminen_tol1e9")]] <- mn(x1, n1, x2, n2, level)
    if (x1 > 0 && x2 > 0) out[[key("risk_ratio_katz")]] <- p / q * c(1, exp(c(-1, 1) * z * sqrt(1 / x1 - 1 / n1 + 1 / x2 - 1 / n2)))
    if (inner) out[[key("odds_ratio_woolf")]] <- (x1 * (n2 - x2)) / (x2 * (n1 - x1)) *
      c(1, exp(c(-1, 1) * z * sqrt(1 / x1 + 1 / (n1 - x1) + 1 / x2 + 1 / (n2 - x2))))
  }
  m <- rbind(c(x1, n1 - x1), c(x2, n2 - x2))
  if (all(colSums(m) > 0)) {
    ch <- suppressWarnings(chisq.test(m, correct = FALSE)); y <- suppressWarnings(chisq.test(m))
    out$chisq <- one(ch$statistic); out$chisq_p <- one(ch$p.value); out$chisq_yates_p <- one(y$p.value)
    out$fisher_p <- one(fisher.test(m)$p.value)
  }
  case(paste(x1, n1, x2, n2, sep = "_"), list(x1 = one(x1), n1 = one(n1), x2 = one(x2), n2 = one(n2)), out)
}
cases <- list(of(0, 14, 5, 14), of(3, 9, 0, 12), of(7, 7, 2, 11), of(0, 5, 6, 6), of(4, 8, 5, 10), of(1, 2, 1, 3), of(12, 17, 12, 17))
for (i in 1:14) { n <- sample(5:160, 2); x <- sapply(n, function(k) sample(1:(k - 1), 1)); cases <- c(cases, list(of(x[1], n[1], x[2], n[2]))) }
write_cases("two_proportions", "prop.test, chisq.test, fisher.test; numerical restricted likelihood for Miettinen-Nurminen", cases, rel = 1e-9, abs = 1e-11)
