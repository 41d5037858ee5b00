# Reference numbers for binomial_safety, stopping_rule, ckd_epi_2021, bsa and the normal-theory
# parts of the lung-function sets, by base R alone. Run: Rscript generate.R > expected.csv
num <- function(x) trimws(formatC(x, digits = 17, format = "g"))
row <- function(kind, input, output)
  cat(paste(c(kind, paste(num(input), collapse = " "), paste(num(output), collapse = " ")), collapse = ","), "\n", sep = "")
cat("# ", R.version.string, "\n", sep = "")

for (n in c(1, 7, 30, 58)) for (x in unique(c(0, 1, floor(n / 3), n))) for (p0 in c(0.05, 0.2, 0.6)) {
  if (x <= n) row("exceeds", c(x, n, p0, 0.6, 2.4), pbeta(p0, 0.6 + x, 2.4 + n - x, lower.tail = FALSE))
}
for (n in c(1, 7, 30, 58)) for (x in unique(c(0, 1, floor(n / 3), n)))
  row("clopper_pearson", c(x, n), binom.test(x, n)$conf.int)

crossing <- function(limits, p) {
  going <- 1; out <- 0
  for (k in seq_along(limits)) {
    going <- c(going, 0) * (1 - p) + c(0, going) * p
    over <- seq_along(going) - 1 >= limits[k]
    out <- out + sum(going[over]); going[over] <- 0
  }
  out
}
beta_limits <- function(n, p0, a, b, threshold) sapply(1:n, function(k) {
  x <- which(pbeta(p0, a + 0:k, b + k - 0:k, lower.tail = FALSE) >= threshold)
  if (length(x)) x[1] - 1 else k + 1
})
pocock_limits <- function(n, p0, alpha) {
  tail <- function(k) pbinom(-1:(k - 1), k, p0, lower.tail = FALSE)
  at <- function(t) sapply(1:n, function(k) { x <- which(tail(k) <= t * (1 + 1e-12)); if (length(x)) x[1] - 1 else k + 1 })
  levels <- sort(unique(unlist(lapply(1:n, function(k) tail(k)[-1]))))
  best <- 0
  for (t in levels) if (crossing(at(t), p0) <= alpha) best <- t else break
  at(best)
}
for (p0 in c(0.1, 0.2, 0.35)) for (threshold in c(0.9, 0.96319)) {
  limits <- beta_limits(24, p0, 3 * p0, 3 * (1 - p0), threshold)
  row("beta_binomial", c(24, p0, 3 * p0, 3 * (1 - p0), threshold), c(limits, crossing(limits, p0), crossing(limits, p0 + 0.2)))
}
for (p0 in c(0.1, 0.2, 0.35)) for (alpha in c(0.05, 0.1)) {
  limits <- pocock_limits(24, p0, alpha)
  row("pocock", c(24, p0, alpha), c(limits, crossing(limits, p0), crossing(limits, p0 + 0.2)))
}
for (female in 0:1) for (age in c(18, 48.5, 80)) for (cr in c(0.4, 0.7, 0.9, 2.5)) {
  k <- if (female) 0.7 else 0.9; a <- if (female) -0.241 else -0.302
  row("ckd_epi", c(female, age, cr), 142 * min(cr / k, 1)^a * max(cr / k, 1)^-1.2 * 0.9938^age * (if (female) 1.012 else 1))
}
for (h in c(150, 171.5)) for (w in c(45, 92.3)) row("bsa", c(h, w), c(sqrt(h * w / 3600), 0.007184 * h^0.725 * w^0.425))
