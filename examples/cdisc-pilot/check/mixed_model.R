# Table 14-3.11 with nlme, from the same data sets: contrasts of arms at week 24 and averaged over weeks 8, 16 and 24.
#
# Needs the packages jsonlite and nlme. Run it in this folder:
#   Rscript mixed_model.R > mixed_model.csv
suppressPackageStartupMessages({library(jsonlite); library(nlme)})

lines <- readLines(gzfile(file.path("..", "data", "adadas.dsjc")), encoding = "UTF-8", warn = FALSE)
head <- fromJSON(lines[1], simplifyVector = FALSE)
names <- vapply(head$columns, function(column) column$name, "")
cells <- lapply(lines[-1], function(line) fromJSON(line, simplifyVector = FALSE))
take <- function(name) sapply(cells, function(row) { x <- row[[match(name, names)]]; if (is.null(x) || identical(x, "")) NA else x })
d <- data.frame(id = take("USUBJID"), arm = take("TRTP"), site = take("SITEGR1"), base = as.numeric(take("BASE")), chg = as.numeric(take("CHG")),
  week = take("AVISIT"), param = take("PARAMCD"), flag = take("ANL01FL"), made = take("DTYPE"), efficacy = take("EFFFL"), stringsAsFactors = FALSE)
d <- d[d$param == "ACTOT" & d$flag %in% "Y" & is.na(d$made) & d$efficacy %in% "Y" & d$week %in% c("Week 8", "Week 16", "Week 24"), ]
d <- d[!is.na(d$chg) & !is.na(d$base), ]
arms <- c("Placebo", "Xanomeline Low Dose", "Xanomeline High Dose")
d$week <- factor(d$week, levels = c("Week 8", "Week 16", "Week 24")); d$visit <- as.integer(d$week); d$arm <- factor(d$arm, levels = arms)
d$site <- factor(d$site); d <- d[order(d$id, d$visit), ]

# A constant, arm and baseline at each visit; one effect of each site. Contrasts are differences of arm coefficients.
fit <- gls(chg ~ 0 + week + week:arm + week:base + site, d, correlation = corSymm(form = ~ visit | id), weights = varIdent(form = ~ 1 | week),
  control = glsControl(maxIter = 1000, msMaxIter = 1000, tolerance = 1e-12, msTol = 1e-12, singular.ok = TRUE))
b <- coef(fit); V <- vcov(fit)
at <- function(arm, weeks) { w <- setNames(numeric(length(b)), names(b))
  if (arm != "Placebo") w[paste0("week", weeks, ":arm", arm)] <- 1 / length(weeks)
  w }
cat(sprintf('"# %s; nlme %s",0\n', R.version.string, packageVersion("nlme")))
cat(sprintf('"14-3.11/observations",%d\n"14-3.11/minus_2_log_likelihood",%.10g\n', nrow(d), -2 * c(logLik(fit))))
for (pair in list(c(2, 1), c(3, 1), c(3, 2))) for (what in list(list("", "Week 24"), list("average_", levels(d$week)))) {
  w <- at(arms[pair[1]], what[[2]]) - at(arms[pair[2]], what[[2]])
  of <- sprintf("[%s][%s]", arms[pair[1]], arms[pair[2]])
  cat(sprintf('"14-3.11/%sdifference%s",%.10g\n"14-3.11/%sse%s",%.10g\n', what[[1]], of, sum(w * b), what[[1]], of, sqrt(c(w %*% V %*% w))))
}
