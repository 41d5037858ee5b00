# Power and size of random designs.
source("../r/json.R")
suppressWarnings(library(pwr))
set.seed(115)
t_case <- function(type, alternative, strict, size) {
  delta <- round(runif(1, 0.4, 6), 2); sd <- round(runif(1, 0.8, 9), 2); alpha <- sample(c(0.01, 0.025, 0.05, 0.1), 1)
  input <- list(kind = one("t"))
  if (size) { p <- sample(c(0.8, 0.9, 0.95), 1); sd <- round(delta * runif(1, 0.8, 3), 2)
    r <- power.t.test(power = p, delta = delta, sd = sd, sig.level = alpha, type = type, alternative = alternative, strict = strict, tol = 1e-13)
    input$power <- one(p)
  } else { n <- sample(3:60, 1); input$n <- one(n)
    r <- power.t.test(n, delta, sd, alpha, type = type, alternative = alternative, strict = strict) }
  input <- c(input, list(delta = one(delta), sd = one(sd), alpha = one(alpha), type = one(type), alternative = one(alternative), strict = one(strict)))
  out <- list(n = one(r$n), n_ceiling = one(ceiling(r$n)), power = one(r$power))
  case(paste("t", type, alternative, strict, size, delta, sep = "_"), input, out)
}
cases <- list()
for (type in c("two.sample", "one.sample", "paired")) for (side in c("two.sided", "one.sided")) for (size in c(FALSE, TRUE)) for (strict in c(FALSE, TRUE))
  if (!(strict && side == "one.sided")) cases <- c(cases, list(t_case(type, side, strict, size)))
for (i in 1:5) { n <- sample(5:80, 2); delta <- round(runif(1, 0.2, 1.4), 2); alpha <- sample(c(0.01, 0.05), 1)
  r <- pwr.t2n.test(n[1], n[2], delta / 1.3, alpha)
  cases <- c(cases, list(case(paste0("unequal", i), list(kind = one("t_unequal"), n1 = one(n[1]), n2 = one(n[2]), delta = one(delta), sd = one(1.3), alpha = one(alpha)),
    list(power = one(r$power))))) }
for (i in 1:6) { p <- round(runif(2, 0.05, 0.9), 2); if (abs(p[1] - p[2]) < 0.1) p[2] <- 1 - p[2]; if (abs(p[1] - p[2]) < 0.1) p <- c(0.2, 0.5)
  input <- list(kind = one("prop"), p1 = one(p[1]), p2 = one(p[2]), alpha = one(0.05))
  if (i %% 2) { n <- sample(10:150, 1); r <- power.prop.test(n, p[1], p[2]); input$n <- one(n) }
  else { r <- power.prop.test(p1 = p[1], p2 = p[2], power = 0.85, tol = 1e-13); input$power <- one(0.85) }
  cases <- c(cases, list(case(paste0("prop", i), input, list(n = one(r$n), n_ceiling = one(ceiling(r$n)), power = one(r$power))))) }
for (i in 1:5) { n <- sample(4:22, 2); p <- round(runif(2, 0.05, 0.9), 2); alpha <- sample(c(0.05, 0.1), 1)
  power <- 0
  for (a in 0:n[1]) for (b in 0:n[2]) if (fisher.test(rbind(c(a, n[1] - a), c(b, n[2] - b)))$p.value <= alpha)
    power <- power + dbinom(a, n[1], p[1]) * dbinom(b, n[2], p[2])
  cases <- c(cases, list(case(paste0("fisher", i), list(kind = one("fisher"), n1 = one(n[1]), n2 = one(n[2]), p1 = one(p[1]), p2 = one(p[2]), alpha = one(alpha)), list(power = one(power))))) }
for (i in 1:5) { n <- sample(8:90, 1); p0 <- round(runif(1, 0.05, 0.5), 2); p1 <- p0 + 0.2; alpha <- sample(c(0.025, 0.05, 0.1), 1)
  k <- min(which(pbinom(0:n - 1, n, p0, lower.tail = FALSE) <= alpha)) - 1
  cases <- c(cases, list(case(paste0("binom", i), list(kind = one("binom1"), n = one(n), p0 = one(p0), p1 = one(p1), alpha = one(alpha)),
    list(critical_count = one(k), alpha_actual = one(pbinom(k - 1, n, p0, lower = FALSE)), power = one(pbinom(k - 1, n, p1, lower = FALSE)))))) }
for (i in 1:4) { p <- round(runif(1, 0.55, 0.85), 2); f <- sample(c(0.5, 0.4, 0.333), 1); a <- sample(c(0.05, 0.01), 1); b <- 0.9
  n <- (qnorm(1 - a / 2) + qnorm(b))^2 / (12 * f * (1 - f) * (p - 0.5)^2)
  cases <- c(cases, list(case(paste0("noether", i), list(kind = one("wilcoxon_noether"), p_xy = one(p), frac = one(f), alpha = one(a), power = one(b)),
    list(n_total = one(n), n_total_ceiling = one(ceiling(n))))))
  hr <- round(runif(1, 0.3, 0.85), 2); e <- (qnorm(1 - a / 2) + qnorm(b))^2 / (f * (1 - f) * log(hr)^2)
  cases <- c(cases, list(case(paste0("schoenfeld", i), list(kind = one("schoenfeld"), hr = one(hr), frac = one(f), alpha = one(a), power = one(b)),
    list(events = one(e), events_ceiling = one(ceiling(e)))))) }
for (n in list(c(14, 14), c(8, 15), c(20, 10))) { m <- n[1]; k <- n[2]; delta <- 0.9; alpha <- 0.05
  p1 <- pnorm(delta / sqrt(2))
  # P(X > Y and X > Y'), P(X > Y and X' > Y): integrals over the shared variable are equal for a symmetric law
  p2 <- integrate(function(x) pnorm(x + delta)^2 * dnorm(x), -12, 12, rel.tol = 1e-13, abs.tol = 0)$value
  v <- m * k * p1 * (1 - p1) + m * k * (k - 1) * (p2 - p1^2) + m * k * (m - 1) * (p2 - p1^2)
  r <- qwilcox(alpha / 2, m, k); if (pwilcox(r, m, k) > alpha / 2) r <- r - 1
  power <- pnorm((r + 0.5 - m * k * (1 - p1)) / sqrt(v)) + pnorm((r + 0.5 - m * k * p1) / sqrt(v))
  cases <- c(cases, list(case(paste0("shift", m, "_", k), list(kind = one("wilcoxon_exact_shift_normal"), n1 = one(m), n2 = one(k), delta = one(delta), alpha = one(alpha)),
    list(p1 = one(p1), p2 = one(p2), var_W = one(v), reject_if_W_le = one(r), size_exact = one(2 * pwilcox(r, m, k)), power_normal_approx = one(power))))) }
for (i in 1:4) { g <- sample(2:6, 1); n <- sample(5:25, 1); b <- round(runif(1, 0.5, 2), 2); w <- round(runif(1, 3, 9), 2)
  r <- power.anova.test(g, n, b, w); input <- list(kind = one("anova"), groups = one(g), between = one(b), within = one(w), alpha = one(0.05))
  cases <- c(cases, list(case(paste0("anova", i), c(input, list(n = one(n))), list(power = one(r$power))))) }
r <- power.anova.test(4, NULL, 1.2, 5, power = 0.8)
cases <- c(cases, list(case("anova_n", list(kind = one("anova"), groups = one(4), between = one(1.2), within = one(5), alpha = one(0.05), power = one(0.8)),
  list(n = one(uniroot(function(n) power.anova.test(4, n, 1.2, 5)$power - 0.8, c(2, 1e4), tol = 1e-13)$root), power = one(0.8)))))
write_cases("power", "power.t.test, pwr.t2n.test, power.prop.test, power.anova.test, enumeration, formulas", cases, "pwr", rel = 1e-8, abs = 1e-10)
