# Random linear models: two to four arms, covariates, strata, interactions, missing values, unbalanced cells.
source("../r/json.R")
suppressWarnings({ library(emmeans); library(sandwich) })
set.seed(114)
of <- function(id, formula, data, levels) {
  frame <- as.data.frame(data, stringsAsFactors = FALSE)
  frame$trt <- factor(frame$trt, levels = levels)
  fit <- lm(as.formula(formula), frame); s <- summary(fit)$coefficients; d <- drop1(fit, test = "F")[-1, ]
  lists <- function(x, contrast = FALSE) { x <- as.data.frame(x)
    list(est = x[[if (contrast) "estimate" else "emmean"]], se = x$SE, df = x$df, lower = x$lower.CL, upper = x$upper.CL) }
  message <- function(x) suppressMessages(x)
  equal <- message(emmeans(fit, "trt")); proportional <- message(emmeans(fit, "trt", weights = "proportional"))
  k <- message(contrast(equal, "trt.vs.ctrl1", adjust = "none")); ci <- as.data.frame(confint(k)); te <- as.data.frame(k)
  out <- list(terms = names_of(rownames(s)), coef = s[, 1], se = s[, 2], t = s[, 3], p = s[, 4],
    ci95 = rows(confint(fit)), sigma = one(sigma(fit)), df_resid = one(df.residual(fit)), r2 = one(summary(fit)$r.squared),
    adj_r2 = one(summary(fit)$adj.r.squared), F = one(summary(fit)$fstatistic[1]),
    lsmeans_equal = lists(equal), lsmeans_proportional = lists(proportional)[c("est", "se")],
    contrast_vs_first = list(est = te$estimate, se = te$SE, df = te$df, lower = ci$lower.CL, upper = ci$upper.CL, t = te$t.ratio, p = te$p.value),
    drop1_terms = names_of(rownames(d)), drop1_F = d$"F value", drop1_p = d$"Pr(>F)",
    aic = one(AIC(fit)), bic = one(BIC(fit)), loglik = one(as.numeric(logLik(fit))))
  for (type in c("HC0", "HC1", "HC2", "HC3")) out[[paste0("se_", type)]] <- sqrt(diag(vcovHC(fit, type = type)))
  case(id, list(formula = one(formula), trt_levels = levels, data = data), out)
}
make <- function(n, arms, missing = 0) {
  trt <- sample(rep_len(arms, n)); base <- round(rnorm(n, 27, 6)); age <- round(runif(n, 18, 75), 1)
  stratum <- sample(c("ILD", "noILD"), n, TRUE, c(0.3, 0.7)); site <- sample(c("a", "b", "c"), n, TRUE)
  chg <- round(-0.3 * (base - 27) - 2 * match(trt, arms) + 1.5 * (stratum == "ILD") + rnorm(n, 0, 4), 2)
  if (missing > 0) { chg[sample(n, missing)] <- NA; base[sample(n, 1)] <- NA }
  list(trt = trt, base = base, age = age, stratum = stratum, site = site, chg = chg)
}
cases <- list()
for (n in c(14, 28, 60, 200)) {
  two <- make(n, c("placebo", "active")); levels <- c("placebo", "active")
  cases <- c(cases, list(of(paste0("arm", n), "chg ~ trt", two, levels), of(paste0("base", n), "chg ~ base + trt", two, levels),
    of(paste0("strata", n), "chg ~ base + stratum + trt", two, levels)))
  if (n > 20) cases <- c(cases, list(of(paste0("slopes", n), "chg ~ base * trt", two, levels),
    of(paste0("cells", n), "chg ~ age + base + site + stratum + trt", two, levels),
    of(paste0("stratum_by_arm", n), "chg ~ base + stratum * trt", two, levels),
    of(paste0("four", n), "chg ~ base + trt", make(n, c("p", "low", "mid", "high")), c("p", "low", "mid", "high")),
    of(paste0("missing", n), "chg ~ base + stratum + trt", make(n, c("B", "A"), 3), c("B", "A"))))
}
write_cases("ancova", "lm(formula); emmeans(m, 'trt'); contrast(trt.vs.ctrl1); drop1(test='F'); sandwich::vcovHC", cases, c("emmeans", "sandwich"))
