# Sandwich errors of a mixed model: nlme's fit, clubSandwich's CR0 and CR3 with their Satterthwaite degrees of
# freedom; CR2 from its definition with the Cholesky factor of the inverse covariance, for which clubSandwich takes
# another square root. Run in this directory: Rscript sandwich.R
suppressMessages({ library(jsonlite); library(nlme); library(clubSandwich) })
set.seed(31)
n <- 26; visits <- paste0("M", c(3, 6, 9))
d <- data.frame(id = rep(sprintf("S%02d", 1:n), each = 3), trt = rep(c("placebo", "active"), each = 3, length.out = 3 * n),
  base = rep(round(rnorm(n, 24, 5), 1), each = 3), visit = rep(visits, n))
d$y <- round(rep(rnorm(n, 0, 2), each = 3) - 0.2 * d$base + rnorm(3 * n, 0, 2) * rep(1:3, n) / 2, 1)
d$y[sample(which(d$visit != "M3"), 9)] <- NA
k <- d[!is.na(d$y), ]
k$trt <- factor(k$trt, c("placebo", "active")); k$visit <- factor(k$visit, visits); k$id <- factor(k$id)
k$v <- as.integer(k$visit)
control <- glsControl(maxIter = 1000, msMaxIter = 2000, tolerance = 1e-12, msTol = 1e-14)
one <- function(id, covariance, correlation, weights) {
  fit <- gls(y ~ base + trt * visit, k, correlation = correlation, weights = weights, control = control)
  out <- list(neg2loglik = -2 * c(logLik(fit)))
  for (kind in c("CR0", "CR3")) {
    v <- vcovCR(fit, cluster = k$id, type = kind)
    t <- coef_test(fit, vcov = v, test = "Satterthwaite")
    out[[c(CR0 = "empirical", CR3 = "empirical_jackknife")[kind]]] <- list(se = t$SE, df = if ("df_Satt" %in% names(t)) t$df_Satt else t$df)
  }
  X <- model.matrix(~ base + trt * visit, k); r <- residuals(fit)
  cov1 <- lapply(split(seq_len(nrow(k)), k$id), function(w) {
    S <- unclass(getVarCov(fit, individual = names(which.max(table(k$id)))))
    S[k$v[w], k$v[w], drop = FALSE] })
  parts <- split(seq_len(nrow(k)), k$id)
  M <- Reduce(`+`, Map(function(w, S) t(X[w, , drop = FALSE]) %*% solve(S, X[w, , drop = FALSE]), parts, cov1))
  Phi <- solve(M)
  meat <- Reduce(`+`, Map(function(w, S) {
    C <- chol(solve(S))                      # upper, C'C = S^-1, C' the Cholesky factor
    A <- C %*% X[w, , drop = FALSE]
    e <- eigen(diag(length(w)) - A %*% Phi %*% t(A), symmetric = TRUE)
    B <- e$vectors %*% diag(e$values^-0.5, length(w)) %*% t(e$vectors)
    g <- t(A) %*% B %*% C %*% r[w]
    g %*% t(g) }, parts, cov1))
  out$empirical_bias_reduced <- list(se = unname(sqrt(diag(Phi %*% meat %*% Phi))))
  list(id = id, call = "nlme::gls; clubSandwich::coef_test(test = Satterthwaite); CR2 from its definition",
    input = list(data = list(id = d$id, trt = d$trt, base = d$base, visit = d$visit, y = d$y), response = "y", rhs = "base + trt * visit",
      covariance = covariance, reml = TRUE), output = out)
}
cases <- list(
  one("sandwich_us", "us", corSymm(form = ~ v | id), varIdent(form = ~ 1 | visit)),
  one("sandwich_cs", "cs", corCompSymm(form = ~ 1 | id), NULL),
  one("sandwich_ar1h", "ar1h", corAR1(form = ~ v | id), varIdent(form = ~ 1 | visit)))
file <- list(method = "mmrm", tool = paste0("R ", getRversion(), "; nlme ", packageVersion("nlme"), "; clubSandwich ", packageVersion("clubSandwich")),
  tolerance = list(rel = 1e-5, abs = 1e-9, per_key = list(neg2loglik = list(rel = 1e-8), df = list(rel = 1e-4))), cases = cases)
writeLines(toJSON(file, auto_unbox = TRUE, digits = I(17), na = "null"), "mmrm_sandwich.json")
for (c in cases) str(c$output)
