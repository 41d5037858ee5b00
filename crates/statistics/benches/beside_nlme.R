# Times R on data like those of benches/mixed.rs: Rscript benches/beside_nlme.R
# mmrm and rbmi are timed where they are installed; nlme comes with R.
suppressMessages(library(nlme))
make <- function(n) {
  set.seed(9)
  d <- expand.grid(v = 1:4, id = 1:n)
  base <- rnorm(n, 25, 6); level <- rnorm(n, 0, 3)
  d$arm <- (d$id - 1) %% 2; d$base <- base[d$id]
  d$y <- level[d$id] - 0.2 * d$base - (d$v - 1) * (0.8 + 0.5 * d$arm) + (2 + 0.4 * (d$v - 1)) * rnorm(nrow(d))
  d <- d[d$v == 1 | runif(nrow(d)) > 0.1, ]
  d$f <- factor(d$v); d$id <- factor(d$id); d$trt <- factor(d$arm); d
}
timed <- function(name, run) {
  took <- replicate(5, system.time(run())[["elapsed"]])
  cat(sprintf("%-40s median %.1f ms\n", name, 1000 * median(took)))
}
for (n in c(200, 1000)) {
  d <- make(n)
  timed(sprintf("nlme gls, n = %d", n), function()
    gls(y ~ f * trt + f * base, d, correlation = corSymm(form = ~ v | id), weights = varIdent(form = ~ 1 | f)))
  if (requireNamespace("mmrm", quietly = TRUE)) for (method in c("Satterthwaite", "Kenward-Roger-Linear"))
    timed(sprintf("mmrm %s, n = %d", method, n), function()
      mmrm::mmrm(y ~ f * trt + f * base + us(f | id), d, method = method))
}
