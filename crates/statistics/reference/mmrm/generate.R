# Mixed models for repeated measures on random trials, from whole matrices: V of all observations, P = W - W X (X'WX)^-1 X'W,
# Newton's steps on the analytic gradient and Hessian of -2 log-likelihood. Derivatives of the covariance by its parameters come
# from complex steps and differences of these. Nothing is taken from a package but nlme's gls as a second opinion on -2 log-likelihood.
source("../r/json.R")
suppressWarnings(library(nlme))
set.seed(120)

# The covariance of T visits by mmrm's parameters: log standard deviations, then correlations x/sqrt(1+x^2) (unstructured: a unit
# lower triangle). Compound symmetry's map is our own choice here, so its second-order Kenward-Roger is left out.
scales <- function(name, T) if (name == "us" || endsWith(name, "h")) T else 1
count <- function(name, T) scales(name, T) + switch(sub("h$", "", name), us = T * (T - 1) / 2, cs = 1, ar1 = 1, toep = T - 1, ad = T - 1)
covariance <- function(name, T, theta) {
  k <- scales(name, T); sd <- exp(if (k == 1) rep(theta[1], T) else theta[1:T]); rest <- theta[-(1:k)]
  rho <- rest / sqrt(1 + rest^2); C <- diag(1 + 0i, T)
  if (name == "us") {
    L <- diag(1 + 0i, T); n <- 1
    for (s in 2:T) for (t in 1:(s - 1)) { L[s, t] <- rest[n]; n <- n + 1 }
    C <- L %*% t(L)
  } else for (s in 2:T) for (t in 1:(s - 1)) {
    v <- switch(sub("h$", "", name), cs = rho[1], ar1 = rho[1]^(s - t), toep = rho[s - t], ad = prod(rho[t:(s - 1)]))
    C[s, t] <- v; C[t, s] <- v
  }
  C * outer(sd, sd)
}
first <- function(name, T, theta, a) { e <- replace(numeric(length(theta)), a, 1e-30); Im(covariance(name, T, theta + 1i * e)) / 1e-30 }
second <- function(name, T, theta, a, b) {
  h <- 1e-3; at <- function(m) first(name, T, theta + replace(numeric(length(theta)), b, m * h), a)
  (45 * (at(1) - at(-1)) - 9 * (at(2) - at(-2)) + (at(3) - at(-3))) / (60 * h)
}

model <- function(d, response, rhs, name, reml) {
  d <- d[!is.na(d[[response]]), ]; d$trt <- droplevels(d$trt); d$visit <- droplevels(d$visit)
  f <- as.formula(paste("~", rhs)); X <- model.matrix(f, d); y <- d[[response]]; T <- nlevels(d$visit); v <- as.integer(d$visit)
  N <- length(y); p <- ncol(X); same <- outer(d$id, d$id, "==")
  spread <- function(S) S[v, v] * same
  parts <- function(theta, derive) {
    V <- spread(Re(covariance(name, T, theta))); W <- chol2inv(chol(V)); M <- t(X) %*% W %*% X; Phi <- solve(M)
    P <- W - W %*% X %*% Phi %*% t(X) %*% W; Py <- P %*% y
    value <- c(determinant(V)$modulus) + sum(y * Py) + (if (reml) c(determinant(M)$modulus) + (N - p) * log(2 * pi) else N * log(2 * pi))
    out <- list(value = value, W = W, Phi = Phi, beta = c(Phi %*% t(X) %*% W %*% y))
    if (!derive) return(out)
    q <- length(theta); B <- if (reml) P else W
    D <- lapply(1:q, function(a) spread(first(name, T, theta, a)))
    E <- lapply(1:q, function(a) lapply(1:a, function(b) spread(second(name, T, theta, a, b))))
    g <- sapply(D, function(Da) sum(B * Da) - sum(Py * (Da %*% Py)))
    BD <- lapply(D, function(Da) B %*% Da); DPy <- lapply(D, function(Da) Da %*% Py); H <- matrix(0, q, q)
    for (a in 1:q) for (b in 1:a) H[a, b] <- H[b, a] <- -sum(BD[[a]] * t(BD[[b]])) + sum(B * E[[a]][[b]]) +
      2 * sum(DPy[[a]] * (P %*% DPy[[b]])) - sum(Py * (E[[a]][[b]] %*% Py))
    c(out, list(D = D, E = E, g = g, H = H))
  }
  ls <- lm.fit(X, y)$residuals; k <- scales(name, T)
  theta <- c(if (k == 1) log(sd(ls)) else log(tapply(ls, v, sd)), rep(if (name == "us") 0.3 else 0.4, count(name, T) - k))
  f0 <- function(t) tryCatch(parts(t, FALSE)$value, error = function(e) 1e10)
  theta <- optim(theta, f0, method = "BFGS", control = list(maxit = 1000, reltol = 1e-14))$par
  for (step in 1:30) { fit <- parts(theta, TRUE); move <- solve(fit$H, fit$g); if (max(abs(move)) < 1e-12) break; theta <- theta - move }
  stopifnot(max(abs(move)) < 1e-9, all(eigen(fit$H)$values > 0))
  vcov_theta <- 2 * solve(fit$H); q <- length(theta); W <- fit$W; Phi <- fit$Phi; WX <- W %*% X
  Pa <- lapply(fit$D, function(Da) -t(WX) %*% Da %*% WX)
  adjusted <- function(second_order) {
    total <- 0
    for (a in 1:q) for (b in 1:q) {
      Q <- t(WX) %*% fit$D[[a]] %*% W %*% fit$D[[b]] %*% WX; R <- t(WX) %*% fit$E[[max(a, b)]][[min(a, b)]] %*% WX
      total <- total + vcov_theta[a, b] * (Q - Pa[[a]] %*% Phi %*% Pa[[b]] - (if (second_order) R / 4 else 0))
    }
    Phi + 2 * Phi %*% total %*% Phi
  }
  sat <- function(l) { v <- c(l %*% Phi %*% l); g <- sapply(Pa, function(A) -c(l %*% Phi %*% A %*% Phi %*% l)); 2 * v^2 / c(g %*% vcov_theta %*% g) }
  kr <- function(L) {
    L <- matrix(L, ncol = p); l <- nrow(L); Th <- t(L) %*% solve(L %*% Phi %*% t(L)) %*% L; A1 <- A2 <- 0
    U <- lapply(Pa, function(A) Th %*% Phi %*% A %*% Phi)
    for (a in 1:q) for (b in 1:q) { A1 <- A1 + vcov_theta[a, b] * sum(diag(U[[a]])) * sum(diag(U[[b]])); A2 <- A2 + vcov_theta[a, b] * sum(U[[a]] * t(U[[b]])) }
    B <- (A1 + 6 * A2) / (2 * l); g <- ((l + 1) * A1 - (l + 4) * A2) / ((l + 2) * A2); u <- 3 * l + 2 * (1 - g)
    E <- 1 / (1 - A2 / l); V <- 2 / l * (1 + g / u * B) / ((1 - (l - g) / u * B)^2 * (1 - (l + 2 - g) / u * B))
    rho <- V / (2 * E^2); m <- 4 + (l + 2) / (l * rho - 1); c(m, m / (E * (m - 2)))
  }
  # Least-squares means: covariates at their mean over observations, other factors with equal weights.
  frame <- d; factors <- names(Filter(is.factor, d[all.vars(f)]))
  grid <- expand.grid(lapply(d[factors], levels), stringsAsFactors = FALSE)
  for (n in factors) grid[[n]] <- factor(grid[[n]], levels = levels(d[[n]]))
  for (n in setdiff(all.vars(f), factors)) grid[[n]] <- mean(d[[n]])
  G <- model.matrix(f, grid); cells <- expand.grid(trt = levels(d$trt), visit = levels(d$visit), stringsAsFactors = FALSE)
  rows_of <- t(mapply(function(a, w) colMeans(G[grid$trt == a & grid$visit == w, , drop = FALSE]), cells$trt, cells$visit))
  last <- tail(levels(d$trt), 1); begin <- levels(d$trt)[1]
  differences <- rows_of[cells$trt == last, , drop = FALSE] - rows_of[cells$trt == begin, , drop = FALSE]
  variant <- function(cov, df_of) {
    tests <- function(L) { est <- c(L %*% fit$beta); se <- sqrt(rowSums((L %*% cov) * L)); df <- apply(L, 1, df_of); h <- qt(0.975, df) * se
      list(est = est, se = se, df = df, lower = est - h, upper = est + h, t = est / se, p = 2 * pt(-abs(est / se), df)) }
    b <- tests(diag(p)); m <- tests(rows_of); k <- tests(differences)
    list(se = b$se, df = b$df, t = b$t, p = b$p, lsmeans = c(list(trt = cells$trt, visit = cells$visit), m[c("est", "se", "df", "lower", "upper")]),
      contrast_trt_last_minus_first = c(list(visit = levels(d$visit)), k))
  }
  wanted <- sapply(strsplit(colnames(X), ":"), function(w) length(w) == 2 && any(startsWith(w, "trt")) && any(startsWith(w, "visit")))
  L <- diag(p)[wanted, , drop = FALSE]; l <- nrow(L); b <- L %*% fit$beta
  joint <- function(cov, m, scale) { F <- scale * c(t(b) %*% solve(L %*% cov %*% t(L), b)) / l
    # An adjusted covariance that is not positive definite has no test.
    if (min(eigen(L %*% cov %*% t(L), only.values = TRUE)$values) <= 0) return(list(F = NULL, num_df = NULL, denom_df = NULL, p = NULL))
    list(F = one(F), num_df = one_(l), denom_df = one(m), p = one(pf(F, l, m, lower.tail = FALSE))) }
  ev <- eigen(L %*% Phi %*% t(L)); nu <- sapply(1:l, function(i) sat(c(t(ev$vectors[, i]) %*% L))); e <- sum(nu / (nu - 2)); fai <- if (diff(range(nu)) < 1e-8 * mean(nu)) mean(nu) else 2 * e / (e - l)
  out <- list(n_subjects = one_(length(unique(d$id))), n_obs = one_(N), neg2loglik = one(fit$value), aic = one(fit$value + 2 * q),
    bic = one(fit$value + q * log(length(unique(d$id)))), n_cov_params = one_(q), cov_matrix = rows(Re(covariance(name, T, theta))),
    terms = names_of(colnames(X)), beta = fit$beta, satterthwaite = variant(Phi, sat), F_trt_by_visit = list(satterthwaite = joint(Phi, fai, 1)))
  if (reml) {
    K <- kr(L); lin <- adjusted(FALSE); one_df <- function(l) kr(l)[1]
    out$kenward_roger_linear_SAS <- variant(lin, one_df); out$F_trt_by_visit$kenward_roger_linear_SAS <- joint(lin, K[1], K[2])
    if (!startsWith(name, "cs")) { full <- adjusted(TRUE)
      out$kenward_roger <- variant(full, one_df); out$F_trt_by_visit$kenward_roger <- joint(full, K[1], K[2]) }
  }
  cor <- switch(name, us = corSymm(form = ~ v | id), cs = , csh = corCompSymm(form = ~ v | id), ar1 = , ar1h = corAR1(form = ~ v | id), NULL)
  check <- NA
  if (!is.null(cor)) { d$v <- v; check <- tryCatch(-2 * c(logLik(gls(as.formula(paste(response, "~", rhs)), d, correlation = cor,
    weights = if (scales(name, T) > 1) varIdent(form = ~ 1 | visit), method = if (reml) "REML" else "ML"))), error = function(e) NA) }
  if (!is.na(check)) stopifnot(abs(check - fit$value) < 1e-3)
  list(out = out, check = check)
}
one_ <- function(x) one(as.integer(x))

trial <- function(n, arms, visits, missing, drop) {
  trt <- sample(rep_len(arms, n)); base <- round(rnorm(n, 24, 6), 1); age <- round(runif(n, 20, 75)); stratum <- sample(c("ILD", "noILD"), n, TRUE, c(0.3, 0.7))
  level <- rnorm(n, 0, 3); gone <- ifelse(runif(n) < drop, sample(2:visits, n, TRUE), visits + 1); d <- NULL
  for (i in 1:n) { carried <- 0
    for (v in 1:visits) { carried <- 0.6 * carried + rnorm(1, 0, 2 + 0.4 * v)
      y <- if (v >= gone[i] || (v > 1 && runif(1) < missing)) NA else round(level[i] + carried - 0.2 * (base[i] - 24) - 0.7 * v * (match(trt[i], arms) - 1) + 0.02 * age[i], 2)
      d <- rbind(d, data.frame(id = paste0("S", i), trt = trt[i], base = base[i], age = age[i], stratum = stratum[i], visit = sprintf("W%02d", 4 * v), y = y)) } }
  d$visit <- factor(d$visit, levels = unique(d$visit)); d$trt <- factor(d$trt, levels = unique(d$trt)); d$stratum <- factor(d$stratum, levels = unique(d$stratum)); d
}
sets <- list(three_arms = trial(54, c("p", "low", "high"), 3, 0.08, 0.2), six_visits = trial(30, c("control", "active"), 6, 0.05, 0.25),
  small = trial(18, c("B", "A"), 4, 0.1, 0.15))
plan <- list(
  list("three_arms", "trt * visit", "us", TRUE), list("three_arms", "base * visit + stratum + trt * visit", "us", TRUE),
  list("three_arms", "base + trt * visit", "csh", TRUE), list("three_arms", "base + trt * visit", "toeph", FALSE), list("three_arms", "base + age + trt * visit", "adh", TRUE),
  list("six_visits", "base + trt * visit", "ar1h", TRUE), list("six_visits", "base + trt * visit", "toep", TRUE), list("six_visits", "trt * visit", "ad", TRUE),
  list("six_visits", "base * visit + trt * visit", "ar1", TRUE), list("six_visits", "base + trt * visit", "cs", FALSE), list("six_visits", "trt * visit", "us", TRUE),
  list("small", "base + trt * visit", "us", TRUE), list("small", "base + stratum + trt * visit", "cs", TRUE), list("small", "base + trt * visit", "ar1", TRUE),
  list("small", "trt * visit", "toeph", TRUE), list("small", "base + trt * visit", "us", FALSE))
cases <- lapply(plan, function(c) {
  d <- sets[[c[[1]]]]; fit <- model(d, "y", c[[2]], c[[3]], c[[4]])
  id <- paste(c[[1]], gsub("[^a-z]+", "_", c[[2]]), c[[3]], if (c[[4]]) "reml" else "ml", sep = "_")
  cat(id, fit$out$neg2loglik, fit$check, "\n")
  data <- lapply(d[c("id", "trt", "base", "age", "stratum", "visit", "y")], function(x) if (is.factor(x)) as.character(x) else x)
  case(id, list(response = one("y"), rhs = one(c[[2]]), covariance = one(c[[3]]), reml = one(c[[4]]), data = data), fit$out)
})
write_cases("mmrm", "whole matrices; see generate.R", cases, "nlme",
  tolerance = list(rel = 1e-6, abs = 1e-9, per_key = list(df = list(rel = 1e-5), denom_df = list(rel = 1e-5), p = list(rel = 1e-4), lower = list(rel = 1e-5, abs = 1e-6), upper = list(rel = 1e-5, abs = 1e-6))))
