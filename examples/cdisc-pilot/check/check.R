# The tables of the pilot's report, recomputed with R from the same data sets.
#
# Needs the packages jsonlite and survival. Run it in this folder:
#   Rscript check.R > expected.csv
# Written apart from the plan and from the program that runs it: it shares the data alone.

suppressPackageStartupMessages({library(jsonlite); library(survival)})
say_version <- sprintf("%s; survival %s", R.version.string, packageVersion("survival"))

read_set <- function(name) {
  lines <- readLines(gzfile(file.path("..", "data", paste0(name, ".dsjc"))), encoding = "UTF-8", warn = FALSE)
  head <- fromJSON(lines[1], simplifyVector = FALSE)
  rows <- lapply(lines[-1], function(line) fromJSON(line, simplifyVector = FALSE))
  set <- lapply(seq_along(head$columns), function(i) {
    cells <- lapply(rows, function(row) if (is.null(row[[i]])) NA else row[[i]])
    column <- unlist(cells)
    if (is.character(column)) column[!is.na(column) & column == ""] <- NA
    column
  })
  names(set) <- vapply(head$columns, function(column) column$name, "")
  as.data.frame(set, stringsAsFactors = FALSE)
}
adsl <- read_set("adsl")
adadas <- read_set("adadas")
adcibc <- read_set("adcibc")
adae <- read_set("adae")
adtte <- read_set("adtte")
arms <- c("Placebo", "Xanomeline Low Dose", "Xanomeline High Dose")
adsl$arm <- factor(adsl$TRT01P, levels = arms)

out <- list()
say <- function(id, value) out[[length(out) + 1]] <<- sprintf('"%s",%s', gsub('"', '""', id), if (is.na(value)) "NE" else sprintf("%.15g", value))
of <- function(key, ...) paste0(key, paste0("[", c(...), "]", collapse = ""))

counts <- function(id, values, arm, levels) {
  for (a in arms) for (level in levels) say(paste0(id, "/", of("count", a, level)), sum(values[arm == a] == level, na.rm = TRUE))
}
describe <- function(id, x, arm, test = TRUE) {
  for (a in arms) {
    own <- x[arm == a & !is.na(x)]
    say(paste0(id, "/", of("n", a)), length(own))
    say(paste0(id, "/", of("mean", a)), mean(own))
    say(paste0(id, "/", of("sd", a)), sd(own))
    say(paste0(id, "/", of("median", a)), median(own))
    say(paste0(id, "/", of("min", a)), min(own))
    say(paste0(id, "/", of("max", a)), max(own))
  }
  if (test) say(paste0(id, "/p"), anova(lm(x ~ arm))$"Pr(>F)"[1])
}
chi <- function(id, values, arm, levels) {
  counts(id, values, arm, levels)
  say(paste0(id, "/p"), suppressWarnings(chisq.test(table(arm, values), correct = FALSE))$p.value)
}
yes <- function(id, flag, arm) {
  for (a in arms) {
    say(paste0(id, "/", of("events", a)), sum(flag[arm == a]))
    say(paste0(id, "/", of("n", a)), sum(arm == a))
  }
  say(paste0(id, "/p"), fisher.test(table(arm, factor(flag, levels = c(TRUE, FALSE))), workspace = 2e7)$p.value)
}
flag <- function(x) !is.na(x) & x == "Y"

# 14-1.01
for (one in c("ITTFL", "SAFFL", "EFFFL", "COMP24FL")) {
  for (a in arms) say(paste0("14-1.01-", tolower(one), "/", of("count", a, "Y")), sum(flag(adsl[[one]]) & adsl$arm == a))
}
for (a in arms) say(paste0("14-1.01-study/", of("count", a, "COMPLETED")), sum(adsl$EOSSTT == "COMPLETED" & adsl$arm == a))

# 14-1.02
early <- !flag(adsl$COMP24FL)
yes("14-1.02-completed", !early, adsl$arm)
reason <- ifelse(early, adsl$DCDECOD, NA)
reasons <- sort(unique(adsl$DCDECOD[early]))
counts("14-1.02-reason", reason, adsl$arm, reasons)
yes("14-1.02-adverse-event", early & adsl$DCDECOD == "ADVERSE EVENT", adsl$arm)
yes("14-1.02-lack-of-efficacy", early & adsl$DCDECOD == "LACK OF EFFICACY", adsl$arm)

# 14-2.01
describe("14-2.01-age", adsl$AGE, adsl$arm)
chi("14-2.01-age-group", adsl$AGEGR1, adsl$arm, c("<65", "65-80", ">80"))
chi("14-2.01-sex", adsl$SEX, adsl$arm, c("F", "M"))
chi("14-2.01-race", adsl$RACE, adsl$arm, sort(unique(adsl$RACE)))
describe("14-2.01-mmse", adsl$MMSETOT, adsl$arm)
describe("14-2.01-duration", adsl$DURDIS, adsl$arm)
chi("14-2.01-duration-group", adsl$DURDSGR1, adsl$arm, c("<12", ">=12"))
describe("14-2.01-education", adsl$EDUCLVL, adsl$arm)
describe("14-2.01-weight", adsl$WEIGHTBL, adsl$arm)
describe("14-2.01-height", adsl$HEIGHTBL, adsl$arm)
describe("14-2.01-bmi", adsl$BMIBL, adsl$arm)
chi("14-2.01-bmi-group", adsl$BMIBLGR1, adsl$arm, c("<25", "25-<30", ">=30"))

# 14-3.01 and 14-3.02
ancova <- function(id, rows, response, covariates) {
  rows$arm <- factor(rows$TRTP, levels = arms)
  rows$site <- factor(rows$SITEGR1)
  rows$y <- rows[[response]]
  terms <- c("arm", "site", covariates)
  fit <- lm(reformulate(terms, "y"), rows)
  dose <- lm(reformulate(c("TRTPN", "site", covariates), "y"), rows)
  for (a in arms) {
    own <- rows$y[rows$arm == a]
    say(paste0(id, "/", of("n", a)), length(own))
    say(paste0(id, "/", of("mean", a)), mean(own))
    say(paste0(id, "/", of("sd", a)), sd(own))
  }
  say(paste0(id, "-dose/", of("slope_p", "TRTPN")), summary(dose)$coefficients["TRTPN", 4])
  k <- qt(0.975, df.residual(fit))
  for (pair in list(c(2, 1), c(3, 1), c(3, 2))) {
    weights <- rep(0, length(coef(fit)))
    names(weights) <- names(coef(fit))
    if (pair[1] > 1) weights[paste0("arm", arms[pair[1]])] <- 1
    if (pair[2] > 1) weights[paste0("arm", arms[pair[2]])] <- -1
    estimate <- sum(weights * coef(fit))
    se <- sqrt(drop(weights %*% vcov(fit) %*% weights))
    say(paste0(id, "/", of("difference", arms[pair[1]], arms[pair[2]])), estimate)
    say(paste0(id, "/", of("se", arms[pair[1]], arms[pair[2]])), se)
    say(paste0(id, "/", of("lower", arms[pair[1]], arms[pair[2]])), estimate - k * se)
    say(paste0(id, "/", of("upper", arms[pair[1]], arms[pair[2]])), estimate + k * se)
    say(paste0(id, "/", of("p", arms[pair[1]], arms[pair[2]])), 2 * pt(-abs(estimate / se), df.residual(fit)))
  }
  grid <- expand.grid(arm = arms, site = levels(rows$site))
  for (name in covariates) grid[[name]] <- mean(rows[[name]])
  x <- model.matrix(delete.response(terms(fit)), grid, xlev = fit$xlevels)
  for (a in arms) say(paste0(id, "/", of("ls_mean", a)), sum(colMeans(x[grid$arm == a, ]) * coef(fit)))
}
adas <- adadas[adadas$PARAMCD == "ACTOT" & adadas$AVISIT == "Week 24" & flag(adadas$ANL01FL) & flag(adadas$EFFFL), ]
describe("14-3.01-baseline", adas$BASE, adas$TRTP, test = FALSE)
describe("14-3.01-week-24", adas$AVAL, adas$TRTP, test = FALSE)
describe("14-3.01-change", adas$CHG, adas$TRTP, test = FALSE)
ancova("14-3.01", adas, "CHG", "BASE")
cibic <- adcibc[flag(adcibc$ANL01FL) & flag(adcibc$EFFFL), ]
describe("14-3.02-week-24", cibic$AVAL[cibic$AVISIT == "Week 24"], cibic$TRTP[cibic$AVISIT == "Week 24"], test = FALSE)
ancova("14-3.02", cibic[cibic$AVISIT == "Week 24", ], "AVAL", character())

# 14-3.13
cmh <- function(rows) {
  # Row mean scores by the formula of Landis, Heyman and Koch (1978), written out.
  scores <- sort(unique(rows$AVAL))
  sum <- rep(0, 2)
  variance <- matrix(0, 2, 2)
  for (site in unique(rows$SITEGR1)) {
    own <- table(factor(rows$TRTP[rows$SITEGR1 == site], levels = arms), factor(rows$AVAL[rows$SITEGR1 == site], levels = scores))
    n <- sum(own)
    if (n < 2) next
    r <- rowSums(own)
    c <- colSums(own)
    mean <- sum(c * scores) / n
    spread <- sum(c * (scores - mean)^2) / (n - 1)
    observed <- drop(own %*% scores)
    sum <- sum + (observed - r * mean)[1:2]
    variance <- variance + spread * (diag(r) - outer(r, r) / n)[1:2, 1:2]
  }
  statistic <- drop(sum %*% solve(variance, sum))
  pchisq(statistic, 2, lower.tail = FALSE)
}
for (week in c(8, 16, 24)) {
  rows <- cibic[cibic$AVISITN == week, ]
  id <- paste0("14-3.13-week-", week)
  counts(id, rows$AVAL, rows$TRTP, 1:7)
  say(paste0(id, "/p"), cmh(rows))
}

# 14-4.01
describe("14-4.01-daily", adsl$AVGDD, adsl$arm, test = FALSE)
describe("14-4.01-cumulative", adsl$CUMDOSE, adsl$arm, test = FALSE)
completers <- adsl[flag(adsl$COMP24FL), ]
describe("14-4.01-daily-completers", completers$AVGDD, completers$arm, test = FALSE)
describe("14-4.01-cumulative-completers", completers$CUMDOSE, completers$arm, test = FALSE)

# 14-5.01
emergent <- adae[flag(adae$TRTEMFL), ]
treated <- table(factor(adsl$TRT01A, levels = arms))
event_row <- function(rows, suffix) {
  affected <- vapply(arms, function(a) length(unique(rows$USUBJID[rows$TRTA == a])), 0L)
  for (i in seq_along(arms)) {
    say(paste0("14-5.01/", "participants[", arms[i], "]", suffix), affected[i])
    say(paste0("14-5.01/", "events[", arms[i], "]", suffix), sum(rows$TRTA == arms[i]))
    say(paste0("14-5.01/", "percent[", arms[i], "]", suffix), 100 * affected[i] / treated[i])
  }
  for (i in 2:3) {
    table <- matrix(c(affected[i], treated[i] - affected[i], affected[1], treated[1] - affected[1]), 2)
    p <- if (all(rowSums(table) > 0)) fisher.test(table)$p.value else NA
    say(paste0("14-5.01-fisher/", "p[", arms[i], "]", suffix), p)
  }
}
event_row(emergent, "")
for (soc in sort(unique(emergent$AEBODSYS))) {
  rows <- emergent[emergent$AEBODSYS == soc, ]
  event_row(rows, paste0("[", soc, "]"))
  for (term in sort(unique(rows$AEDECOD))) event_row(rows[rows$AEDECOD == term, ], paste0("[", soc, " > ", term, "]"))
}

# Figure 14-1
adtte$arm <- factor(adtte$TRTP, levels = arms)
for (type in c("log", "log-log")) {
  fit <- survfit(Surv(AVAL, CNSR == 0) ~ arm, adtte, conf.type = type)
  medians <- summary(fit)$table
  id <- if (type == "log") "figure-14-1" else "figure-14-1-log-log"
  for (i in seq_along(arms)) {
    say(paste0(id, "/", of("n", arms[i])), medians[i, "records"])
    say(paste0(id, "/", of("events", arms[i])), medians[i, "events"])
    say(paste0(id, "/", of("median", arms[i])), medians[i, "median"])
    say(paste0(id, "/", of("lower", arms[i])), medians[i, "0.95LCL"])
    say(paste0(id, "/", of("upper", arms[i])), medians[i, "0.95UCL"])
  }
}
test <- survdiff(Surv(AVAL, CNSR == 0) ~ arm, adtte)
say("figure-14-1/p", pchisq(test$chisq, 2, lower.tail = FALSE))
for (time in seq(0, 180, 20)) for (a in arms) {
  say(paste0("figure-14-1/", of("at_risk", a, time)), sum(adtte$AVAL[adtte$TRTP == a] >= time))
}

cat(sprintf('"# %s",0\n', say_version))
cat(paste(out, collapse = "\n"), "\n", sep = "")
