# An independent simulation of examples/time-to-event with the package survival: how often its log-rank test rejects at 5 %, where the
# logarithm of its hazard ratio lies and how often its interval holds the truth. It shares no code with the program: the model is
# written anew from the inputs of the example's virtual.toml.
#
# Months have 30.4375 days here where the program goes by the calendar, and arms are 200 to 200 in random order where it has blocks.
#
# Run: Rscript simulate.R > result.csv        (R 4.2.2, survival 3.5.3)
suppressMessages(library(survival))
set.seed(20240108)
trials <- 6000
n <- 400
month <- 30.4375

trial <- function(ratio) {
  # Somebody comes after an exponential wait, in whole days, and starts 7 to 21 days later.
  start <- cumsum(ceiling(rexp(n, 25 / month))) + 7 + sample(0:14, n, replace = TRUE)
  active <- sample(rep(0:1, each = n / 2))
  hr <- ifelse(active == 1, ratio, 1)
  # Relapse at 0.05 a month in the first year and 0.035 after it; death at 0.005.
  cumulated <- rexp(n) / hr
  relapse <- ifelse(cumulated < 0.6, cumulated / 0.05, 12 + (cumulated - 0.6) / 0.035)
  relapse <- pmax(1, ceiling(relapse * month))
  death <- pmax(1, ceiling(rexp(n) / hr / 0.005 * month))
  # 12 % stop the drug; of four who do, three are not seen again.
  planned <- round(24 * month)
  stop <- ifelse(runif(n) < 0.12, 14 + floor(runif(n) * (planned - 28)), Inf)
  leaves <- ifelse(runif(n) < 0.75, stop, Inf)
  late <- runif(n) < 0.03
  shift <- ifelse(late, 8 + sample(0:9, n, replace = TRUE), pmin(pmax(round(rnorm(n, 0, 4)), -7), 7))
  over <- round(25 * month) + shift + 1
  cut <- min(start) + round(30 * month) - start
  event_day <- pmin(relapse, death)
  event <- event_day < leaves & event_day <= over & event_day <= cut
  day <- ifelse(event, event_day, pmin(leaves, over, cut))
  time <- day + 1
  p <- survdiff(Surv(time, event) ~ active)$chisq
  fit <- coxph(Surv(time, event) ~ active, ties = "efron")
  se <- sqrt(vcov(fit)[1, 1])
  c(pchisq(p, 1, lower.tail = FALSE) <= 0.05, coef(fit), sum(event), abs(coef(fit) - log(ratio)) <= qnorm(0.975) * se)
}

cat("ratio,trials,rejects,mean_log_ratio,sd_log_ratio,mean_events,covers\n")
for (ratio in c(1, 0.8, 0.65)) {
  all <- replicate(trials, trial(ratio))
  cat(sprintf("%g,%d,%.6f,%.6f,%.6f,%.4f,%.6f\n", ratio, trials, mean(all[1, ]), mean(all[2, ]), sd(all[2, ]), mean(all[3, ]), mean(all[4, ])))
}
