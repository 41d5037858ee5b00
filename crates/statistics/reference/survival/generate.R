# Random cohorts: continuous and tied times, strata, early censoring, three arms, covariates.
source("../r/json.R")
library(survival)
set.seed(116)
of <- function(id, data, tau, cox, exact = TRUE) {
  frame <- as.data.frame(data); frame$group <- factor(frame$group, levels = unique(data$group))
  surv <- Surv(frame$time, frame$status)
  km <- list()
  for (g in levels(frame$group)) {
    sub <- frame[frame$group == g, ]
    fit <- function(type) survfit(Surv(time, status) ~ 1, sub, conf.type = type)
    a <- fit("log"); b <- fit("log-log"); e <- a$n.event > 0
    if (!any(e)) next
    r <- summary(a, rmean = tau)$table
    se <- (a$std.err * a$surv)[e]; se[a$surv[e] == 0] <- NA
    blank <- function(x) { x <- x[e]; x[a$surv[e] == 0] <- NA; x }
    km[[g]] <- list(time = a$time[e], n_risk = a$n.risk[e], n_event = a$n.event[e], surv = a$surv[e], se_greenwood = se,
      lower_log = blank(a$lower), upper_log = blank(a$upper), lower_loglog = blank(b$lower), upper_loglog = blank(b$upper),
      median = one(r["median"]), median_ci_log = as.vector(r[c("0.95LCL", "0.95UCL")]),
      median_ci_loglog = as.vector(summary(b)$table[c("0.95LCL", "0.95UCL")]), rmst_tau = one(tau), rmst = one(r["rmean"]), rmst_se = one(r["se(rmean)"]))
  }
  test <- function(formula, rho = 0) { t <- survdiff(formula, frame, rho = rho); df <- length(t$n) - 1
    list(chisq = one(t$chisq), p = one(pchisq(t$chisq, df, lower.tail = FALSE)), t = t, df = df) }
  plain <- test(Surv(time, status) ~ group)
  out <- list(km = km, logrank = c(list(obs = plain$t$obs, exp = plain$t$exp, df = one(plain$df)), plain[1:2]),
    peto_peto_rho1 = test(Surv(time, status) ~ group, 1)[1:2])
  if (!is.null(data$stratum)) {
    s <- survdiff(Surv(time, status) ~ group + strata(stratum), frame); df <- nrow(as.matrix(s$obs)) - 1
    out$logrank_stratified <- list(chisq = one(s$chisq), p = one(pchisq(s$chisq, df, lower.tail = FALSE)))
  }
  for (ties in c("efron", "breslow", if (exact) "exact")) {
    m <- coxph(as.formula(paste("Surv(time, status) ~", cox)), frame, ties = ties, control = coxph.control(eps = 1e-14, toler.chol = 1e-15, iter.max = 100))
    s <- summary(m)
    out[[paste0("cox_", ties)]] <- list(terms = names_of(names(coef(m))), coef = coef(m), hr = exp(coef(m)), se = sqrt(diag(vcov(m))),
      p = s$coefficients[, "Pr(>|z|)"], hr_ci95 = rows(exp(confint(m))), loglik = m$loglik, lr = one(2 * diff(m$loglik)), wald = one(s$waldtest["test"]),
      score = one(m$score), concordance = one(m$concordance["concordance"]))
  }
  z <- cox.zph(coxph(as.formula(paste("Surv(time, status) ~", cox)), frame))$table
  out$cox_zph <- list(terms = rownames(z), chisq = z[, "chisq"], p = z[, "p"])
  case(id, list(data = data, tau = one(tau), cox = one(cox)), out)
}
cohort <- function(n, arms, round_to, stratum = FALSE) {
  group <- sample(rep_len(arms, n)); age <- round(rnorm(n, 55, 10), 1)
  t <- rexp(n, 0.05 * exp(-0.5 * (match(group, arms) - 1) + 0.02 * (age - 55))); c <- runif(n, 5, 60)
  time <- pmax(round(pmin(t, c) / round_to) * round_to, round_to)
  data <- list(time = time, status = as.integer(t <= c), group = group, age = age)
  if (stratum) data$stratum <- sample(1:3, n, TRUE)
  data
}
cases <- list(of("continuous", cohort(40, c("a", "b"), 0.001), 30, "group + age"), of("tied", cohort(60, c("B", "A"), 3), 24, "group"),
  of("strata", cohort(80, c("new", "old"), 0.5, TRUE), 20, "group + age"), of("three", cohort(75, c("p", "q", "r"), 1), 25, "group"),
  of("small", cohort(14, c("x", "y"), 0.1, TRUE), 12, "group"), of("many", cohort(200, c("ctl", "trt"), 0.01), 40, "age + group", FALSE),
  of("age_only", cohort(30, c("m", "f"), 0.2), 15, "age"))
write_cases("survival", "survfit(conf.type='log'|'log-log'); survdiff(rho=0|1); coxph(ties=); cox.zph (transform 'km')", cases, "survival", rel = 1e-8, abs = 1e-10)
