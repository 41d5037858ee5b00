# Conditional-mean imputation under five strategies, written from its definition and nothing else:
# REML of the mixed model by optim over log-Cholesky parameters, conditional normal means, ANCOVA of the
# last visit, jackknife by leaving out each participant. Run in this directory: Rscript imputation.R
suppressMessages({ library(jsonlite); library(nlme) })

make <- function(seed, per_arm, visits, dropout, intermittent) {
  set.seed(seed)
  n <- 2 * per_arm
  arm <- rep(c(0, 1), per_arm)
  base <- round(rnorm(n, 25, 6), 1)
  level <- rnorm(n, 0, 2.5)
  y <- matrix(NA_real_, n, visits)
  event <- rep(NA_integer_, n)
  for (i in 1:n) {
    for (v in 1:visits)
      y[i, v] <- round(-0.25 * (base[i] - 25) - 0.8 * v - 0.9 * v * arm[i] + level[i] + rnorm(1, 0, 1.5 + 0.4 * v), 1)
    gone <- which(runif(visits) < dropout)
    if (length(gone)) { event[i] <- gone[1]; y[i, gone[1]:visits] <- NA }
    lost <- runif(visits) < intermittent & !is.na(y[i, ])
    y[i, lost] <- NA
  }
  list(arm = arm, base = base, y = y, event = event)
}

# -2 log restricted likelihood over log-Cholesky parameters of the unstructured covariance.
reml_parts <- function(theta, Y, X) {
  V <- ncol(Y)
  L <- matrix(0, V, V); L[lower.tri(L, diag = TRUE)] <- theta; diag(L) <- exp(diag(L))
  S <- L %*% t(L)
  M <- 0; r <- 0; ld <- 0; n <- 0; yy <- 0
  kept <- list()
  for (i in seq_len(nrow(Y))) {
    o <- which(!is.na(Y[i, ])); if (!length(o)) next
    key <- paste(o, collapse = ""); if (is.null(kept[[key]])) kept[[key]] <- solve(S[o, o, drop = FALSE])
    W <- kept[[key]]; x <- X[[i]][o, , drop = FALSE]; yi <- Y[i, o]
    M <- M + t(x) %*% W %*% x; r <- r + t(x) %*% W %*% yi; yy <- yy + c(t(yi) %*% W %*% yi)
    ld <- ld + c(determinant(S[o, o, drop = FALSE])$modulus); n <- n + length(o)
  }
  b <- solve(M, r)
  list(value = ld + yy - c(t(r) %*% b) + c(determinant(M)$modulus) + (n - ncol(M)) * log(2 * pi), beta = c(b), sigma = S)
}
fit_reml <- function(Y, X, start = NULL) {
  V <- ncol(Y); warm <- !is.null(start)
  if (is.null(start)) {
    L <- diag(V); start <- L[lower.tri(L, diag = TRUE)]
    start[L[lower.tri(L, diag = TRUE)] == 1] <- log(3)
  }
  f <- function(t) tryCatch(reml_parts(t, Y, X)$value, error = function(e) 1e10)
  at <- start
  for (k in 1:(if (warm) 1 else 4)) at <- optim(at, f, method = "BFGS", control = list(reltol = 1e-10, maxit = 500, ndeps = rep(1e-5, length(at))))$par
  # Newton steps on differences of differences take what is left.
  h <- 1e-4
  for (k in 1:3) {
    q <- length(at); g <- numeric(q)
    for (a in 1:q) { e <- replace(numeric(q), a, h); g[a] <- (8 * (f(at + e) - f(at - e)) - (f(at + 2 * e) - f(at - 2 * e))) / (12 * h) }
    H <- optimHess(at, f, control = list(ndeps = rep(1e-3, q)))
    at <- at - solve(H, g)
  }
  c(reml_parts(at, Y, X), list(theta = at))
}

# Columns: for each visit a constant, the arm and the baseline.
design <- function(arm, base, V) lapply(seq_along(arm), function(i) {
  x <- matrix(0, V, 3 * V); for (v in 1:V) x[v, 3 * (v - 1) + 1:3] <- c(1, arm[i], base[i]); x })

means <- function(strategy, own, ref, event) {
  if (is.na(event) || strategy == "missing at random") return(own)
  V <- length(own); after <- event:V; mu <- own
  if (strategy == "copy reference") return(ref)
  if (strategy == "jump to reference" || event == 1) mu[after] <- ref[after]
  else if (strategy == "copy increments") mu[after] <- own[event - 1] + ref[after] - ref[event - 1]
  else mu[after] <- own[event - 1]
  mu
}

impute <- function(d, fit, strategy) {
  V <- ncol(d$y); X <- design(d$arm, d$base, V); R <- design(0 * d$arm, d$base, V)
  for (i in seq_along(d$arm)) {
    m <- which(is.na(d$y[i, ])); if (!length(m)) next
    o <- setdiff(1:V, m)
    mu <- means(strategy, c(X[[i]] %*% fit$beta), c(R[[i]] %*% fit$beta), d$event[i])
    add <- if (length(o)) fit$sigma[m, o, drop = FALSE] %*% solve(fit$sigma[o, o, drop = FALSE], d$y[i, o] - mu[o]) else 0
    d$y[i, m] <- mu[m] + add
  }
  d
}
ancova <- function(d) { V <- ncol(d$y); unname(coef(lm(d$y[, V] ~ d$arm + d$base))[2]) }
take <- function(d, k) list(arm = d$arm[k], base = d$base[k], y = d$y[k, , drop = FALSE], event = d$event[k])

strategies <- c("missing at random", "jump to reference", "copy reference", "copy increments", "last mean carried")
one <- function(id, d, jack) {
  V <- ncol(d$y); n <- length(d$arm)
  fit <- fit_reml(d$y, design(d$arm, d$base, V))
  long <- data.frame(id = factor(rep(1:n, each = V)), v = rep(1:V, n), arm = rep(d$arm, each = V), base = rep(d$base, each = V), y = c(t(d$y)))
  long <- long[!is.na(long$y), ]; long$f <- factor(long$v)
  check <- tryCatch(gls(y ~ 0 + f + f:arm + f:base, long, correlation = corSymm(form = ~ v | id), weights = varIdent(form = ~ 1 | f),
    control = glsControl(maxIter = 500, msMaxIter = 1000, tolerance = 1e-10, msTol = 1e-12)), error = function(e) NULL)
  out <- list(neg2loglik = fit$value)
  for (s in strategies) {
    own <- ancova(impute(d, fit, s))
    part <- list(est = own)
    if (s %in% jack) {
      left <- sapply(1:n, function(i) {
        rest <- take(d, -i)
        ancova(impute(rest, fit_reml(rest$y, design(rest$arm, rest$base, V), fit$theta), s))
      })
      part$jackknife_se <- sqrt((n - 1) / n * sum((left - mean(left))^2))
    }
    out[[gsub(" ", "_", s)]] <- part
  }
  list(id = id, call = "conditional means at the REML fit; lm(last visit ~ arm + base); jackknife",
    input = list(arm = d$arm, base = d$base, visits = V, event = d$event, y = lapply(1:n, function(i) d$y[i, ])), output = out,
    provenance = list(nlme_gls_neg2loglik = if (is.null(check)) NA else -2 * c(logLik(check))))
}
cases <- list(
  one("four_visits", make(11, 24, 4, 0.08, 0.03), character()),
  one("three_visits_small", make(12, 12, 3, 0.12, 0), "jump to reference"),
  one("four_visits_dropout", make(13, 30, 4, 0.09, 0), character()))
file <- list(method = "conditional_mean_imputation", tool = paste0("R ", getRversion(), "; nlme ", packageVersion("nlme")),
  tolerance = list(rel = 1e-6, abs = 1e-9, per_key = list(jackknife_se = list(rel = 1e-5))), cases = cases)
writeLines(toJSON(file, auto_unbox = TRUE, digits = I(17), na = "null", pretty = FALSE), "conditional_mean_imputation.json")
for (c in cases) cat(c$id, c$output$neg2loglik, unlist(c$provenance), "\n")
