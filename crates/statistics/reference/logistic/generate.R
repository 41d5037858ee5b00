# Random logistic regressions with covariates, factors and an interaction.
source("../r/json.R")
set.seed(112)
of <- function(id, formula, data, levels = list()) {
  frame <- as.data.frame(data)
  for (name in names(levels)) frame[[name]] <- factor(frame[[name]], levels = levels[[name]])
  fit <- glm(as.formula(formula), binomial, frame, epsilon = 1e-15, maxit = 100)
  # once more from the maximum: standard errors come from the weights of the last but one step
  fit <- glm(as.formula(formula), binomial, frame, epsilon = 1e-15, start = coef(fit))
  s <- summary(fit)$coefficients; z <- qnorm(0.975)
  null <- glm(y ~ 1, binomial, frame, epsilon = 1e-15)
  input <- list(formula = one(formula), data = data)
  for (name in names(levels)) input[[paste0(name, "_levels")]] <- levels[[name]]
  out <- list(terms = names_of(rownames(s)), coef = s[, 1], se = s[, 2], z = s[, 3], p = s[, 4],
    ci95_wald = lapply(seq_len(nrow(s)), function(i) s[i, 1] + c(-1, 1) * z * s[i, 2]), deviance = one(deviance(fit)),
    null_deviance = one(fit$null.deviance), aic = one(AIC(fit)), loglik = one(as.numeric(logLik(fit))))
  if (nrow(s) > 1) out$lr_p_vs_null <- one(pchisq(fit$null.deviance - deviance(fit), nrow(s) - 1, lower = FALSE))
  case(id, input, out)
}
cases <- list()
for (n in c(25, 60, 300)) {
  x1 <- round(rnorm(n, 20, 5), 1); x2 <- round(rnorm(n), 3); trt <- sample(c("placebo", "active"), n, TRUE); site <- sample(c("A", "B", "C"), n, TRUE)
  y <- rbinom(n, 1, plogis(-2 + 0.1 * x1 + 0.6 * (trt == "active") - 0.3 * x2))
  data <- list(y = y, x1 = x1, x2 = x2, trt = trt, site = site)
  cases <- c(cases, list(of(paste0("covariates", n), "y ~ x1 + x2", data), of(paste0("arm", n), "y ~ trt", data, list(trt = c("placebo", "active"))),
    of(paste0("null", n), "y ~ 1", data),
    of(paste0("factors", n), "y ~ x1 + site + trt", data, list(trt = c("placebo", "active")))))
  if (n > 30) cases <- c(cases, list(of(paste0("interaction", n), "y ~ x1 * trt + x2", data, list(trt = c("placebo", "active")))))
}
write_cases("logistic", "glm(formula, binomial, epsilon=1e-15)", cases, rel = 1e-8, abs = 1e-10)
