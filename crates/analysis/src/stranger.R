# Written from base R alone, so that a stranger can check the numbers without the program that made them.
# Run it in the folder of the data sets: Rscript analyses.R

dictionary <- read.csv("dictionary.csv", colClasses = "character", encoding = "UTF-8")
load_set <- function(name) {
  set <- read.csv(paste0(name, ".csv"), colClasses = "character", na.strings = "", check.names = FALSE, encoding = "UTF-8")
  kinds <- dictionary[dictionary$dataset == name, ]
  for (i in seq_len(nrow(kinds))) {
    column <- kinds$column[i]
    if (kinds$kind[i] %in% c("number", "integer")) set[[column]] <- as.numeric(set[[column]])
    if (kinds$kind[i] == "flag") set[[column]] <- set[[column]] == "true"
  }
  set
}
subjects <- load_set("subjects")
longitudinal <- load_set("longitudinal")
adverse_events <- load_set("adverse_events")

holds <- function(x) !is.na(x) & x
results <- list()
say <- function(id, key, value) {
  value <- if (is.null(value) || is.na(value)) "NE" else if (is.infinite(value)) ifelse(value > 0, "inf", "-inf") else sprintf("%.17g", value)
  results[[length(results) + 1]] <<- data.frame(id = id, key = key, value = value)
}
# What can't be computed (no spread, an empty group) is NE.
maybe <- function(expression) tryCatch(expression, error = function(e) NA)
bracket <- function(key, group) if (is.null(group)) key else paste0(key, "[", group, "]")

# One value for each participant of `chosen`: the observed one, a worst rank after death, or the derived record.
outcome <- function(chosen, parameter, visit, measure, rule, worst_rank, not_estimated, lower_is_better) {
  rows <- longitudinal[longitudinal$parameter == parameter & longitudinal$visit == visit, ]
  own <- function(subject, derived) {
    at <- rows$subject == subject & (if (is.na(derived)) is.na(rows$derived) & !is.na(rows$value) else holds(rows$derived == derived))
    rows[at, , drop = FALSE]
  }
  found <- lapply(which(chosen), function(i) {
    subject <- subjects$subject[i]
    row <- own(subject, NA)
    dead <- nrow(row) == 0 && nrow(own(subject, "death")) > 0
    if (dead && worst_rank == "rank") return(list(i = i, value = NA, worst = TRUE, row = NULL))
    if (dead && (worst_rank == "none" || not_estimated)) return(NULL)
    if (nrow(row) == 0 && !is.na(rule)) row <- own(subject, rule)
    if (nrow(row) == 0 || is.na(row[[measure]][1])) return(NULL)
    list(i = i, value = row[[measure]][1], worst = FALSE, row = row[1, ])
  })
  found <- Filter(Negate(is.null), found)
  values <- vapply(found, function(one) as.numeric(one$value), 0)
  worst <- vapply(found, function(one) one$worst, TRUE)
  beyond <- max(1, abs(values), na.rm = TRUE) * 1e9 * (if (lower_is_better) 1 else -1)
  values[worst] <- beyond
  at <- vapply(found, function(one) as.integer(one$i), 0L)
  column <- function(name) vapply(found, function(one) if (is.null(one$row)) NA_real_ else as.numeric(one$row[[name]]), 0)
  list(values = values, at = at, beyond = abs(beyond), baseline = column("baseline"), percent = column("percent_change"))
}
of_variable <- function(chosen, variable) {
  values <- subjects[[variable]]
  at <- which(chosen & !is.na(values))
  list(values = values[at], at = at, beyond = Inf, baseline = NA, percent = NA)
}
# All together, and each group.
cuts <- function(data, by, groups, all = TRUE) {
  whole <- if (all) list(list(name = NULL, use = rep(TRUE, length(data$at)))) else list()
  if (is.null(by)) return(whole)
  c(whole, lapply(groups, function(group) list(name = group, use = holds(level_of(by)[data$at] == group))))
}
level_of <- function(variable) {
  values <- subjects[[variable]]
  if (is.logical(values)) ifelse(values, "yes", "no") else as.character(values)
}
grouped <- function(data, by) {
  if (is.null(by)) return(data)
  use <- !is.na(level_of(by)[data$at])
  list(values = data$values[use], at = data$at[use], beyond = data$beyond, baseline = data$baseline[use], percent = data$percent[use])
}
within_values <- function(x, data) if (is.na(x) || abs(x) > 0.01 * data$beyond) NA else x

describe <- function(id, data, by, groups, type) {
  data <- grouped(data, by)
  for (cut in cuts(data, by, groups)) {
    x <- data$values[cut$use]
    of <- function(key, value) say(id, bracket(key, cut$name), value)
    none <- length(x) == 0
    of("n", length(x))
    of("mean", if (none) NA else mean(x))
    of("sd", if (length(x) < 2) NA else sd(x))
    of("median", if (none) NA else median(x))
    of("q1", if (none) NA else quantile(x, 0.25, type = type, names = FALSE))
    of("q3", if (none) NA else quantile(x, 0.75, type = type, names = FALSE))
    of("min", if (none) NA else min(x))
    of("max", if (none) NA else max(x))
  }
}

paired_t <- function(id, data, by, groups, confidence, changes) {
  data <- grouped(data, by)
  for (cut in cuts(data, by, groups)) {
    x <- data$values[cut$use]
    test <- maybe(t.test(x, conf.level = confidence))
    part <- function(value) if (is.list(test)) value(test) else NA
    of <- function(key, value) say(id, bracket(key, cut$name), value)
    of("n", length(x))
    of("mean", if (length(x) == 0) NA else mean(x))
    of("lower", part(function(t) t$conf.int[1]))
    of("upper", part(function(t) t$conf.int[2]))
    of("t", part(function(t) unname(t$statistic)))
    of("p", part(function(t) t$p.value))
    if (changes) {
      baseline <- data$baseline[cut$use]
      percent <- data$percent[cut$use]
      of("percent_of_baseline", if (length(x) == 0 || mean(baseline) == 0) NA else 100 * mean(x) / mean(baseline))
      of("mean_percent", if (all(is.na(percent))) NA else mean(percent, na.rm = TRUE))
    }
  }
}

two_sample_t <- function(id, data, by, groups, pair, confidence, equal) {
  data <- grouped(data, by)
  x <- data$values[holds(level_of(by)[data$at] == pair[1])]
  y <- data$values[holds(level_of(by)[data$at] == pair[2])]
  test <- maybe(t.test(x, y, var.equal = equal, conf.level = confidence))
  part <- function(value) if (is.list(test)) value(test) else NA
  say(id, "difference", part(function(t) mean(x) - mean(y)))
  say(id, "lower", part(function(t) t$conf.int[1]))
  say(id, "upper", part(function(t) t$conf.int[2]))
  say(id, "p", part(function(t) t$p.value))
}

# Exact signed rank test given the mid-ranks: every sign is as likely as the other.
signed_rank <- function(id, data, by, groups, confidence, pratt) {
  data <- grouped(data, by)
  for (cut in cuts(data, by, groups)) {
    x <- data$values[cut$use]
    of <- function(key, value) say(id, bracket(key, cut$name), value)
    of("n", length(x))
    ranked <- if (pratt) x else x[x != 0]
    ranks <- round(2 * rank(abs(ranked)))
    ranks <- ranks[ranked != 0]
    signs <- ranked[ranked != 0] > 0
    if (length(ranks) == 0) {
      of("v", NA)
      of("p", NA)
    } else {
      counts <- c(1, rep(0, sum(ranks)))
      for (r in ranks) counts <- counts + c(rep(0, r), head(counts, length(counts) - r))
      v <- sum(ranks[signs])
      less <- sum(counts[seq_len(v + 1)]) / 2^length(ranks)
      greater <- sum(counts[(v + 1):length(counts)]) / 2^length(ranks)
      of("v", v / 2)
      of("p", min(1, 2 * min(less, greater)))
    }
    n <- length(x)
    if (n > 0) {
      walsh <- sort(outer(x, x, "+")[upper.tri(diag(n), diag = TRUE)] / 2)
      k <- max(1, qsignrank((1 - confidence) / 2, n))
      of("pseudomedian", within_values(median(walsh), data))
      of("lower", within_values(walsh[k], data))
      of("upper", within_values(walsh[length(walsh) + 1 - k], data))
    } else {
      for (key in c("pseudomedian", "lower", "upper")) of(key, NA)
    }
  }
}

# Exact rank sum test given the mid-ranks: every choice of the first group's members is as likely as the others.
rank_sum <- function(id, data, by, groups, pair, confidence, far, type) {
  data <- grouped(data, by)
  for (cut in cuts(data, by, groups, all = FALSE)) {
    x <- data$values[cut$use]
    of <- function(key, value) say(id, bracket(key, cut$name), within_values(value, data))
    say(id, bracket("n", cut$name), length(x))
    of("median", if (length(x) == 0) NA else median(x))
    of("q1", if (length(x) == 0) NA else quantile(x, 0.25, type = type, names = FALSE))
    of("q3", if (length(x) == 0) NA else quantile(x, 0.75, type = type, names = FALSE))
  }
  x <- data$values[holds(level_of(by)[data$at] == pair[1])]
  y <- data$values[holds(level_of(by)[data$at] == pair[2])]
  m <- length(x)
  n <- length(y)
  if (m == 0 || n == 0) {
    for (key in c("w", "p", "shift", "lower", "upper")) say(id, key, NA)
    return(invisible())
  }
  ranks <- round(2 * rank(c(x, y)))
  w <- sum(ranks[seq_len(m)]) / 2 - m * (m + 1) / 2
  if (length(unique(c(x, y))) == 1) {
    say(id, "w", NA)
    say(id, "p", NA)
  } else {
    # counts[j + 1, s + 1]: ways to choose j of the ranks seen so far with the sum s
    counts <- matrix(0, m + 1, sum(ranks) + 1)
    counts[1, 1] <- 1
    for (r in ranks) {
      shifted <- cbind(matrix(0, m + 1, r), counts[, seq_len(ncol(counts) - r), drop = FALSE])
      counts[-1, ] <- counts[-1, ] + shifted[-(m + 1), ]
    }
    sums <- which(counts[m + 1, ] > 0) - 1
    chance <- counts[m + 1, sums + 1] / choose(m + n, m)
    observed <- sum(ranks[seq_len(m)])
    middle <- m * (m + n + 1)
    p <- if (far) sum(chance[abs(sums - middle) >= abs(observed - middle)])
         else 2 * min(sum(chance[sums <= observed]), sum(chance[sums >= observed]))
    say(id, "w", w)
    say(id, "p", min(1, p))
  }
  shifts <- sort(as.vector(outer(x, y, "-")))
  k <- max(1, qwilcox((1 - confidence) / 2, m, n))
  say(id, "shift", within_values(median(shifts), data))
  say(id, "lower", within_values(shifts[k], data))
  say(id, "upper", within_values(shifts[length(shifts) + 1 - k], data))
}

fisher_table <- function(id, level, has, known, by, groups, pair) {
  of <- function(key, group, value) say(id, paste0(bracket(key, group), if (is.null(level)) "" else paste0("[", level, "]")), value)
  count <- function(group) {
    use <- known & holds(level_of(by) == group)
    c(sum(has & use), sum(use))
  }
  for (group in groups) {
    of("events", group, count(group)[1])
    of("n", group, count(group)[2])
  }
  x <- count(pair[1])
  y <- count(pair[2])
  table <- matrix(c(x[1], x[2] - x[1], y[1], y[2] - y[1]), 2)
  usable <- all(rowSums(table) > 0) && all(colSums(table) > 0)
  of("p", NULL, if (usable) fisher.test(table)$p.value else NA)
}
fisher_variable <- function(id, chosen, variable, yes, by, groups, pair) {
  values <- level_of(variable)
  fisher_table(id, NULL, holds(values == yes), chosen & !is.na(values) & !is.na(level_of(by)), by, groups, pair)
}
fisher_events <- function(id, chosen, events, by, groups, pair, named) {
  known <- chosen & !is.na(level_of(by))
  events <- events[events$subject %in% subjects$subject[known], ]
  fisher_table(id, NULL, subjects$subject %in% events$subject, known, by, groups, pair)
  for (term in unique(c(events$term, named))) {
    with_term <- subjects$subject %in% events$subject[holds(events$term == term)]
    fisher_table(id, term, with_term, known, by, groups, pair)
  }
}

share_limits <- function(x, n, confidence, kind) {
  a <- (1 - confidence) / 2
  z <- qnorm(1 - a)
  p <- x / n
  score <- function(x, sign) {
    p <- x / n
    (p + z^2 / (2 * n) + sign * z * sqrt(p * (1 - p) / n + z^2 / (4 * n^2))) / (1 + z^2 / n)
  }
  solve <- function(f) uniroot(f, c(0, 1), tol = 1e-14)$root
  switch(kind,
    ClopperPearson = binom.test(x, n, conf.level = confidence)$conf.int,
    Wilson = c(max(0, score(x, -1)), min(1, score(x, 1))),
    WilsonCorrected = c(if (x <= 0.5) 0 else score(x - 0.5, -1), if (x >= n - 0.5) 1 else score(x + 0.5, 1)),
    AgrestiCoull = { q <- (x + z^2 / 2) / (n + z^2); q + c(-1, 1) * z * sqrt(q * (1 - q) / (n + z^2)) },
    Jeffreys = c(if (x == 0) 0 else qbeta(a, x + 0.5, n - x + 0.5), if (x == n) 1 else qbeta(1 - a, x + 0.5, n - x + 0.5)),
    MidP = c(if (x == 0) 0 else solve(function(q) pbinom(x, n, q, lower.tail = FALSE) + dbinom(x, n, q) / 2 - a),
             if (x == n) 1 else solve(function(q) pbinom(x - 1, n, q) + dbinom(x, n, q) / 2 - a)),
    Wald = p + c(-1, 1) * z * sqrt(p * (1 - p) / n))
}
binomial_share <- function(id, has, known, by, groups, confidence, kind) {
  data <- grouped(list(values = has[known], at = which(known), beyond = Inf, baseline = NA, percent = NA), by)
  for (cut in cuts(data, by, groups)) {
    of <- function(key, value) say(id, bracket(key, cut$name), value)
    x <- sum(data$values[cut$use])
    n <- sum(cut$use)
    limits <- if (n == 0) c(NA, NA) else 100 * share_limits(x, n, confidence, kind)
    of("events", x)
    of("n", n)
    of("percent", if (n == 0) NA else 100 * x / n)
    of("lower", limits[1])
    of("upper", limits[2])
  }
}

# Events in the order of first doses against a boundary, participant by participant.
stopping_boundary <- function(id, has, known, by, groups, planned, p0, prior, threshold, alpha) {
  crossing <- function(limits) {
    running <- 1
    stopped <- 0
    for (k in seq_along(limits)) {
      running <- c(running, 0) * (1 - p0) + c(0, running) * p0
      over <- seq_along(running) - 1 >= limits[k]
      stopped <- stopped + sum(running[over])
      running[over] <- 0
    }
    stopped
  }
  if (is.null(alpha)) {
    exceeds <- function(x, k) pbeta(p0, prior[1] + x, prior[2] + k - x, lower.tail = FALSE)
    limits <- sapply(seq_len(planned), function(k) { x <- which(exceeds(0:k, k) >= threshold); if (length(x)) x[1] - 1 else k + 1 })
  } else {
    tails <- lapply(seq_len(planned), function(k) pbinom(0:k - 1, k, p0, lower.tail = FALSE))
    at <- function(level) sapply(tails, function(tail) { x <- which(tail <= level * (1 + 1e-12)); if (length(x)) x[1] - 1 else length(tail) })
    levels <- sort(unlist(tails))
    low <- 0
    high <- length(levels)
    while (low < high) {
      middle <- (low + high + 1) %/% 2
      if (crossing(at(levels[middle])) <= alpha) low <- middle else high <- middle - 1
    }
    limits <- if (low == 0) rep(NA, planned) else at(levels[low])
  }
  data <- grouped(list(values = has[known], at = which(known), beyond = Inf, baseline = NA, percent = NA), by)
  for (cut in cuts(data, by, groups)) {
    of <- function(key, value) say(id, bracket(key, cut$name), value)
    own <- data$at[cut$use]
    values <- data$values[cut$use][order(is.na(subjects$first_dose_date[own]), subjects$first_dose_date[own], subjects$subject[own], method = "radix")]
    n <- length(values)
    seen <- head(cumsum(values), planned)
    reached <- which(seen >= limits[seq_along(seen)])
    of("events", sum(values))
    of("n", n)
    of("limit", if (n == 0 || n > planned) NA else limits[n])
    of("reached_at", if (length(reached)) reached[1] else NA)
    of("crossing", if (n == 0 || anyNA(limits)) NA else crossing(limits))
    if (is.null(alpha)) of("posterior", if (n == 0) NA else exceeds(sum(values), n))
  }
}

# Guesses against the arms: Bang's index of each, James's of both.
blinding_index <- function(id, chosen, variable, by, groups, meant, unknown, confidence) {
  z <- qnorm((1 + confidence) / 2)
  guess <- level_of(variable)
  arm <- if (is.null(by)) rep(NA, length(guess)) else level_of(by)
  counts <- sapply(groups, function(group) {
    own <- guess[chosen & holds(arm == group) & !is.na(guess)]
    c(right = sum(holds(meant[own] == group)), wrong = sum(holds(meant[own] != group)), unknown = sum(own == unknown))
  })
  for (group in groups) {
    of <- function(key, value) say(id, bracket(key, group), value)
    c <- counts[, group]
    n <- sum(c)
    q <- c / n
    index <- unname(q["right"] - q["wrong"])
    se <- unname(sqrt((q["right"] * (1 - q["right"]) + q["wrong"] * (1 - q["wrong"]) + 2 * q["right"] * q["wrong"]) / n))
    of("n", n)
    for (key in names(c)) of(key, c[[key]])
    of("index", if (n == 0) NA else index)
    of("lower", if (n == 0) NA else index - z * se)
    of("upper", if (n == 0) NA else index + z * se)
    of("p", if (n == 0 || se < 1e-7) NA else 2 * pnorm(-abs(index / se)))
  }
  keys <- c("james", "james_lower", "james_upper", "james_p")
  if (length(groups) != 2 || any(colSums(counts) == 0)) {
    for (key in keys) say(id, key, NA)
    return(invisible())
  }
  p <- c(counts["right", 1], counts["wrong", 1], counts["wrong", 2], counts["right", 2], sum(counts["unknown", ])) / sum(counts)
  value <- quote((1 + p5 + (1 - p5) * (((0.5 * p2 + 0.5 * p3) / (1 - p5)) /
    ((0.5 * (p1 + p3) * (p3 + p4) + 0.5 * (p2 + p4) * (p1 + p2)) / (1 - p5)^2) - 1)) / 2)
  slopes <- deriv(value, paste0("p", 1:5))
  found <- eval(slopes, as.list(setNames(p, paste0("p", 1:5))))
  g <- as.vector(attr(found, "gradient"))
  james <- as.vector(found)
  se <- sqrt((sum(p * g^2) - sum(p * g)^2) / sum(counts))
  usable <- is.finite(james)
  say(id, "james", if (usable) james else NA)
  say(id, "james_lower", if (usable) james - z * se else NA)
  say(id, "james_upper", if (usable) james + z * se else NA)
  say(id, "james_p", if (usable && se >= 1e-7) 2 * pnorm(-abs((james - 0.5) / se)) else NA)
}

# Two readings of each slide, side by side.
pairs_of <- function(chosen, item, repeats) {
  r <- load_set("readings")
  r <- r[r$item == item & r$subject %in% subjects$subject[chosen] & !(is.na(r$value) & is.na(r$level)), ]
  if (!repeats) r <- r[r$reader %in% 1:2, ]
  key <- if (repeats) paste(r$subject, r$visit, r$reader) else paste(r$subject, r$visit, r$specimen)
  second <- if (repeats) r$`repeat` else r$reader != 1
  pairs <- lapply(split(seq_len(nrow(r)), key), function(at) {
    at <- at[order(second[at])]
    if (length(at) == 2 && !second[at[1]] && second[at[2]]) at
  })
  pairs <- do.call(rbind, pairs)
  if (is.null(pairs)) pairs <- matrix(0L, 0, 2)
  list(first = r[pairs[, 1], ], second = r[pairs[, 2], ])
}
agreement <- function(id, pairs, confidence, form) {
  x <- pairs$first$value
  y <- pairs$second$value
  use <- !is.na(x) & !is.na(y)
  x <- x[use]
  y <- y[use]
  n <- length(x)
  a <- (1 - confidence) / 2
  say(id, "n", n)
  k <- 2
  m <- (x + y) / 2
  grand <- mean(m)
  msb <- k * sum((m - grand)^2) / (n - 1)
  msw <- sum((x - m)^2 + (y - m)^2) / n
  msj <- n * sum((c(mean(x), mean(y)) - grand)^2)
  mse <- (sum((x - m)^2 + (y - m)^2) - msj) / (n - 1)
  fine <- n >= 2 && is.finite(msb)
  simple <- function(f, d1, d2) {
    low <- f / qf(1 - a, d1, d2)
    high <- f * qf(1 - a, d2, d1)
    c((f - 1) / (f + k - 1), (low - 1) / (low + k - 1), (high - 1) / (high + k - 1))
  }
  icc <- if (!fine || (if (form == "OneWay") msw else mse) <= 1e-12 * msb || msb == 0) c(NA, NA, NA)
    else if (form == "OneWay") simple(msb / msw, n - 1, n * (k - 1))
    else if (form == "Consistency") simple(msb / mse, n - 1, (n - 1) * (k - 1))
    else {
      est <- (msb - mse) / (msb + (k - 1) * mse + k * (msj - mse) / n)
      fj <- msj / mse
      v <- (k - 1) * (n - 1) * (k * est * fj + n * (1 + (k - 1) * est) - k * est)^2 /
        ((n - 1) * k^2 * est^2 * fj^2 + (n * (1 + (k - 1) * est) - k * est)^2)
      fu <- qf(1 - a, n - 1, v)
      fl <- qf(1 - a, v, n - 1)
      c(est, n * (msb - fu * mse) / (fu * (k * msj + (k * n - k - n) * mse) + n * msb),
        n * (fl * msb - mse) / (k * msj + (k * n - k - n) * mse + n * fl * msb))
    }
  say(id, "icc", icc[1])
  say(id, "icc_lower", icc[2])
  say(id, "icc_upper", icc[3])
  d <- x - y
  test <- maybe(t.test(d, conf.level = confidence))
  part <- function(value) if (is.list(test)) value else NA
  z <- qnorm(1 - a)
  say(id, "bias", part(mean(d)))
  say(id, "lower", if (is.list(test)) test$conf.int[1] else NA)
  say(id, "upper", if (is.list(test)) test$conf.int[2] else NA)
  say(id, "sd", part(sd(d)))
  say(id, "limit_lower", part(mean(d) - z * sd(d)))
  say(id, "limit_upper", part(mean(d) + z * sd(d)))
}
weighted_kappa <- function(id, pairs, confidence, weights) {
  use <- !is.na(pairs$first$place) & !is.na(pairs$second$place)
  levels <- if (any(use)) pairs$first$places[use][1] else 2
  counts <- table(factor(pairs$first$place[use], seq_len(levels)), factor(pairs$second$place[use], seq_len(levels)))
  n <- sum(counts)
  say(id, "n", n)
  say(id, "agree", if (n == 0) NA else 100 * sum(diag(counts)) / n)
  distance <- abs(row(counts) - col(counts)) / (levels - 1)
  w <- switch(weights, None = (distance == 0) * 1, Linear = 1 - distance, Quadratic = 1 - distance^2)
  p <- counts / n
  e <- outer(rowSums(p), colSums(p))
  po <- sum(w * p)
  pe <- sum(w * e)
  usable <- n > 0 && 1 - pe > 1e-12
  k <- (po - pe) / (1 - pe)
  margin <- outer(as.vector(w %*% colSums(p)), as.vector(t(w) %*% rowSums(p)), "+")
  se <- sqrt(max(0, sum(p * (w - margin * (1 - k))^2) - (k - pe * (1 - k))^2) / (n * (1 - pe)^2))
  null <- sqrt(max(0, sum(e * (w - margin)^2) - pe^2) / (n * (1 - pe)^2))
  z <- qnorm((1 + confidence) / 2)
  say(id, "kappa", if (usable) k else NA)
  say(id, "lower", if (usable) k - z * se else NA)
  say(id, "upper", if (usable) k + z * se else NA)
  say(id, "p", if (usable && null > 1e-9) 2 * pnorm(-abs(k / null)) else NA)
}

# The linear model of base R. `pairs` are groups to compare, the first minus the second.
ancova <- function(id, data, by, groups, pairs, covariates, factors, confidence, equal) {
  data <- grouped(data, by)
  frame <- data.frame(y = data$values)
  if (!is.null(by)) frame$group <- factor(level_of(by)[data$at], levels = groups)
  for (name in factors) frame[[paste0("factor_", name)]] <- level_of(name)[data$at]
  for (name in covariates) {
    frame[[paste0("covariate_", name)]] <- if (name == "baseline") data$baseline else subjects[[name]][data$at]
  }
  frame <- frame[complete.cases(frame) & abs(frame$y) <= 0.01 * data$beyond, , drop = FALSE]
  for (name in factors) frame[[paste0("factor_", name)]] <- factor(frame[[paste0("factor_", name)]])
  of <- function(key, first, second, value) {
    say(id, paste0(key, if (!is.null(first)) paste0("[", first, "]"), if (!is.null(second)) paste0("[", second, "]")), value)
  }
  fit <- maybe(if (ncol(frame) == 1) lm(y ~ 1, data = frame) else lm(y ~ ., data = frame))
  usable <- is.list(fit) && !anyNA(coef(fit)) && df.residual(fit) > 0
  tests <- if (usable && ncol(frame) > 1) drop1(fit, test = "F") else NULL
  part <- function(value) if (usable) value() else NA
  linear <- function(weights) {
    estimate <- sum(weights * coef(fit))
    se <- sqrt(drop(weights %*% vcov(fit) %*% weights))
    half <- qt(1 - (1 - confidence) / 2, df.residual(fit)) * se
    list(estimate = estimate, se = se, lower = estimate - half, upper = estimate + half,
         t = estimate / se, p = 2 * pt(-abs(estimate / se), df.residual(fit)))
  }
  say_linear <- function(keys, first, second, weights) {
    one <- if (usable) linear(weights) else list(estimate = NA, se = NA, lower = NA, upper = NA, t = NA, p = NA)
    for (name in names(keys)) of(keys[[name]], first, second, one[[name]])
  }
  of("n", NULL, NULL, nrow(frame))
  of("df_residual", NULL, NULL, part(function() df.residual(fit)))
  of("sigma", NULL, NULL, part(function() sigma(fit)))
  if (!is.null(by)) {
    of("f", NULL, NULL, part(function() tests["group", "F value"]))
    of("df", NULL, NULL, part(function() tests["group", "Df"]))
    of("p", NULL, NULL, part(function() tests["group", "Pr(>F)"]))
    rows <- if (usable) {
      others <- grep("^factor_", names(frame), value = TRUE)
      grid <- if (length(others) == 0) frame[1, , drop = FALSE]
              else if (equal) expand.grid(lapply(frame[others], levels))
              else frame
      for (name in grep("^covariate_", names(frame), value = TRUE)) grid[[name]] <- mean(frame[[name]])
      lapply(groups, function(group) {
        grid$group <- factor(group, levels = groups)
        colMeans(model.matrix(delete.response(terms(fit)), grid, xlev = fit$xlevels))
      })
    }
    for (i in seq_along(groups)) {
      own <- frame$y[frame$group == groups[i]]
      of("n", groups[i], NULL, length(own))
      of("mean", groups[i], NULL, if (length(own) == 0) NA else mean(own))
      of("sd", groups[i], NULL, if (length(own) < 2) NA else sd(own))
      say_linear(c(estimate = "ls_mean", se = "ls_mean_se", lower = "ls_mean_lower", upper = "ls_mean_upper"),
                 groups[i], NULL, rows[[i]])
    }
    for (pair in pairs) {
      say_linear(c(estimate = "difference", se = "se", lower = "lower", upper = "upper", t = "t", p = "p"), pair[1], pair[2],
                 if (usable) rows[[match(pair[1], groups)]] - rows[[match(pair[2], groups)]])
    }
  }
  for (name in c(factors, covariates)) {
    column <- paste0(if (name %in% covariates) "covariate_" else "factor_", name)
    if (name %in% covariates) {
      say_linear(c(estimate = "slope", se = "slope_se", lower = "slope_lower", upper = "slope_upper", p = "slope_p"), NULL, name,
                 if (usable) as.numeric(names(coef(fit)) == column))
    }
    of("term_f", NULL, name, part(function() tests[column, "F value"]))
    of("term_p", NULL, name, part(function() tests[column, "Pr(>F)"]))
  }
}

# The data sets' own derived columns, from the values they were derived of.
plain <- longitudinal[(is.na(longitudinal$derived) | longitudinal$derived == "locf") & !is.na(longitudinal$change), ]
stopifnot(all(plain$change == plain$value - plain$baseline))
ratio <- plain[!is.na(plain$relative_change), ]
stopifnot(all(ratio$relative_change == (ratio$value - ratio$baseline) / ratio$baseline))


one_way <- function(id, data, by, groups) {
  data <- grouped(data, by)
  for (cut in cuts(data, by, groups)) {
    x <- data$values[cut$use]
    of <- function(key, value) say(id, bracket(key, cut$name), value)
    none <- length(x) == 0
    of("n", length(x))
    of("mean", if (none) NA else mean(x))
    of("sd", if (length(x) < 2) NA else sd(x))
    of("median", if (none) NA else median(x))
    of("min", if (none) NA else min(x))
    of("max", if (none) NA else max(x))
  }
  y <- data$values
  group <- factor(level_of(by)[data$at], levels = groups)
  fit <- if (any(table(group) == 0) || length(y) <= length(groups)) NULL else anova(lm(y ~ group))
  say(id, "f", fit$`F value`[1])
  say(id, "df", fit$Df[1])
  say(id, "df_residual", fit$Df[2])
  say(id, "p", fit$`Pr(>F)`[1])
}

# Groups by levels of those who have both; levels that nobody has are left out.
level_table <- function(use, variable, by, groups, levels) {
  table <- table(factor(level_of(by)[use], groups), factor(level_of(variable)[use], levels))
  matrix(table, nrow = length(groups), dimnames = dimnames(table))
}
occurring <- function(use, variable, levels) levels[levels %in% level_of(variable)[use]]

chi_squared <- function(id, chosen, variable, by, groups, levels, correct) {
  use <- chosen & !is.na(level_of(by)) & !is.na(level_of(variable))
  table <- level_table(use, variable, by, groups, occurring(chosen, variable, levels))
  test <- if (any(dim(table) == 0) || any(rowSums(table) == 0) || any(colSums(table) == 0)) NULL else suppressWarnings(chisq.test(table, correct = correct))
  say(id, "chi_squared", unname(test$statistic))
  say(id, "df", unname(test$parameter))
  say(id, "p", test$p.value)
}

# Landis, Heyman and Koch: linear functions of each stratum's deviations, their sum over its covariance.
cmh <- function(id, chosen, variable, by, groups, levels, strata, association, by_order) {
  use <- chosen & !is.na(level_of(by)) & !is.na(level_of(variable))
  for (name in strata) use <- use & !is.na(level_of(name))
  levels <- occurring(chosen, variable, levels)
  scores <- if (by_order) seq_along(levels) else suppressWarnings(as.numeric(levels))
  but_last <- function(n) diag(n)[-n, , drop = FALSE]
  left <- if (association == "correlation") rbind(seq_along(groups)) else but_last(length(groups))
  right <- if (association == "general") but_last(length(levels)) else rbind(scores)
  stratum <- interaction(lapply(strata, level_of), drop = TRUE)
  sum <- 0
  covariance <- 0
  for (one in unique(stratum[use])) {
    n <- level_table(use & holds(stratum == one), variable, by, groups, levels)
    total <- base::sum(n)
    if (total < 2) next
    spread <- function(t) diag(t, length(t)) - t %o% t / total
    sum <- sum + c(left %*% (n - rowSums(n) %o% colSums(n) / total) %*% t(right))
    covariance <- covariance + kronecker(right %*% spread(colSums(n)) %*% t(right), left %*% spread(rowSums(n)) %*% t(left)) / (total - 1)
  }
  q <- maybe(c(sum %*% solve(covariance, sum)))
  df <- nrow(left) * nrow(right)
  say(id, "chi_squared", q)
  say(id, "df", if (is.na(q)) NA else df)
  say(id, "p", pchisq(q, df, lower.tail = FALSE))
}
