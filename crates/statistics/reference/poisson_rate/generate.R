# Random counts and times, also without events.
source("../r/json.R")
set.seed(113)
single <- function(e, t) { r <- poisson.test(e, t)
  case(paste0("e", e, "t", t), list(events = one(e), time = one(t)), list(rate = one(r$estimate), exact_ci95 = as.vector(r$conf.int))) }
two <- function(e, t) { r <- poisson.test(e, t)
  case(paste(c("two", e, t), collapse = "_"), list(events = e, time = t),
    list(rate_ratio = one(r$estimate), p_exact = one(r$p.value), exact_ci95 = as.vector(r$conf.int))) }
cases <- list(two(c(0, 4), c(8, 9.5)), two(c(3, 3), c(10, 10)), two(c(1, 2), c(100, 1)))
for (e in c(0, 1, 2, 9, 60, 700)) for (t in c(0.5, 33.3)) cases <- c(cases, list(single(e, t)))
for (mean in c(2, 10, 80)) for (i in 1:4) { e <- rpois(2, mean); if (sum(e) > 0) cases <- c(cases, list(two(e, round(runif(2, 5, 90), 1)))) }
write_cases("poisson_rate", "poisson.test(events, time)", cases)
