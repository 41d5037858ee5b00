# Conditional-mean imputation with jackknife errors under five strategies on three random trials, from whole matrices: restricted
# likelihood by Newton's steps over the entries of the covariance (in which it is linear), analytic gradient and Hessian.
source("../r/json.R")
set.seed(122)

make <- function(n, visits, dropout, lost) {
  arm <- rep_len(c(0, 1), n); base <- round(rnorm(n, 25, 6), 1); level <- rnorm(n, 0, 2.5)
  y <- t(sapply(1:n, function(i) round(-0.25 * (base[i] - 25) - 0.8 * 1:visits - 0.9 * arm[i] * 1:visits + level[i] + rnorm(visits, 0, 1.5), 1)))
  event <- rep(NA_integer_, n)
  for (i in 1:n) {
    gone <- which(runif(visits) < dropout); if (length(gone) && gone[1] > 1) { event[i] <- gone[1]; y[i, gone[1]:visits] <- NA }
    if (runif(1) < lost) y[i, sample(visits, 1)] <- NA
  }
  list(arm = arm, base = base, y = y, event = event)
}

fit <- function(d, start = NULL) {
  T <- ncol(d$y); n <- nrow(d$y); seen <- which(!is.na(t(d$y))) - 1; v <- seen %% T + 1; id <- seen %/% T + 1; y <- t(d$y)[seen + 1]
  X <- matrix(0, length(y), 3 * T)
  for (r in seq_along(y)) X[r, 3 * (v[r] - 1) + 1:3] <- c(1, d$arm[id[r]], d$base[id[r]])
  same <- outer(id, id, "=="); pairs <- which(lower.tri(diag(T), TRUE), arr.ind = TRUE)
  D <- lapply(seq_len(nrow(pairs)), function(k) { E <- matrix(0, T, T); E[pairs[k, 1], pairs[k, 2]] <- E[pairs[k, 2], pairs[k, 1]] <- 1; E[v, v] * same })
  sigma <- function(tau) { S <- matrix(0, T, T); S[pairs] <- tau; S[pairs[, 2:1]] <- tau; S }
  parts <- function(tau) {
    S <- sigma(tau); if (min(eigen(S, only.values = TRUE)$values) <= 0) return(list(value = Inf))
    V <- S[v, v] * same; W <- chol2inv(chol(V)); M <- t(X) %*% W %*% X
    P <- W - W %*% X %*% solve(M, t(X) %*% W); Py <- c(P %*% y)
    list(value = c(determinant(V)$modulus) + c(determinant(M)$modulus) + sum(y * Py) + (length(y) - ncol(X)) * log(2 * pi), P = P, Py = Py,
      beta = c(solve(M, t(X) %*% W %*% y)))
  }
  tau <- if (is.null(start)) sigma_start(y, v, X, T)[pairs] else start
  at <- parts(tau)
  for (step in 1:100) {
    PD <- lapply(D, function(E) at$P %*% E); DPy <- lapply(D, function(E) c(E %*% at$Py)); q <- length(tau); H <- matrix(0, q, q)
    g <- sapply(1:q, function(a) sum(diag(PD[[a]])) - sum(at$Py * DPy[[a]]))
    for (a in 1:q) for (b in 1:a) H[a, b] <- H[b, a] <- -sum(PD[[a]] * t(PD[[b]])) + 2 * sum(DPy[[a]] * (at$P %*% DPy[[b]]))
    # Where the Hessian is not positive definite the average information stands in.
    if (min(eigen(H, only.values = TRUE)$values) <= 0) for (a in 1:q) for (b in 1:q) H[a, b] <- sum(DPy[[a]] * (at$P %*% DPy[[b]]))
    move <- solve(H, g); length <- 1
    repeat { next_at <- parts(tau - length * move); if (next_at$value <= at$value + 1e-9) break; length <- length / 2; stopifnot(length > 1e-8) }
    tau <- tau - length * move; at <- next_at
    if (sum(move * g) < 1e-20) break
  }
  stopifnot(abs(sum(move * g)) < 1e-14)
  list(value = at$value, beta = at$beta, sigma = sigma(tau), tau = tau)
}
sigma_start <- function(y, v, X, T) { r <- lm.fit(X, y)$residuals; s <- mean(r^2); s * (0.5 * diag(T) + 0.5) }

impute <- function(d, f, strategy) {
  T <- ncol(d$y)
  for (i in which(rowSums(is.na(d$y)) > 0)) {
    of <- function(arm) sapply(1:T, function(v) sum(f$beta[3 * (v - 1) + 1:3] * c(1, arm, d$base[i])))
    mu <- of(d$arm[i]); ref <- of(0); e <- d$event[i]
    if (!is.na(e)) mu <- switch(strategy, missing_at_random = mu, jump_to_reference = ifelse(1:T >= e, ref, mu), copy_reference = ref,
      copy_increments = ifelse(1:T >= e, mu[e - 1] + ref - ref[e - 1], mu), last_mean_carried = ifelse(1:T >= e, mu[e - 1], mu))
    m <- which(is.na(d$y[i, ])); o <- setdiff(1:T, m)
    d$y[i, m] <- mu[m] + (if (length(o)) f$sigma[m, o, drop = FALSE] %*% solve(f$sigma[o, o, drop = FALSE], d$y[i, o] - mu[o]) else 0)
  }
  unname(coef(lm(d$y[, T] ~ d$arm + d$base))[2])
}
strategies <- c("missing_at_random", "jump_to_reference", "copy_reference", "copy_increments", "last_mean_carried")
of <- function(id, d) {
  n <- length(d$arm); whole <- fit(d)
  left <- sapply(1:n, function(i) {
    rest <- list(arm = d$arm[-i], base = d$base[-i], y = d$y[-i, , drop = FALSE], event = d$event[-i])
    f <- fit(rest, whole$tau); sapply(strategies, function(s) impute(rest, f, s))
  })
  out <- list(neg2loglik = one(whole$value))
  for (s in strategies) out[[s]] <- list(est = one(impute(d, whole, s)), jackknife_se = one(sqrt((n - 1) / n * sum((left[s, ] - mean(left[s, ]))^2))))
  cat(id, whole$value, out$jump_to_reference$est, out$jump_to_reference$jackknife_se, "\n")
  case(id, list(arm = d$arm, base = d$base, visits = one(ncol(d$y)), event = d$event, y = lapply(1:n, function(i) d$y[i, ])), out)
}
cases <- list(of("three_visits", make(24, 3, 0.15, 0.1)), of("four_visits", make(32, 4, 0.1, 0.05)), of("two_visits", make(18, 2, 0.2, 0)))
write_cases("conditional_mean_imputation", "whole matrices; see generate.R", cases, tolerance = list(rel = 1e-6, abs = 1e-9, per_key = list(neg2loglik = list(rel = 1e-8))))
