# Designs for random hypotheses, by enumeration of all (n, n1, r1, r) with n <= nmax.
source("../r/json.R")
of <- function(p0, p1, alpha, beta, nmax) {
  found <- list()
  for (n in 2:nmax) for (n1 in 1:(n - 1)) {
    n2 <- n - n1
    for (r1 in 0:(n1 - 1)) {
      pass <- function(r, p) { x <- (r1 + 1):n1; sum(dbinom(x, n1, p) * pbinom(r - x, n2, p, lower.tail = FALSE)) }
      if (pbinom(r1, n1, p1) > beta) break
      # the smallest r that keeps alpha has the most power
      for (r in r1:(n - 1)) if (pass(r, p0) <= alpha) {
        if (pass(r, p1) >= 1 - beta) { pet <- pbinom(r1, n1, p0)
          found[[length(found) + 1]] <- c(r1, n1, r, n, n1 + (1 - pet) * n2, pet, pass(r, p0), pass(r, p1)) }
        break
      }
    }
  }
  f <- do.call(rbind, found)
  pick <- function(row) list(r1 = one(row[1]), n1 = one(row[2]), r = one(row[3]), n = one(row[4]), EN_p0 = one(row[5]),
    PET_p0 = one(row[6]), alpha_actual = one(row[7]), power_actual = one(row[8]))
  small <- f[f[, 4] == min(f[, 4]), , drop = FALSE]
  case(paste(p0, p1, alpha, beta, nmax, sep = "_"), list(p0 = one(p0), p1 = one(p1), alpha = one(alpha), beta = one(beta), nmax = one(nmax)),
    list(optimal = pick(f[which.min(f[, 5]), ]), minimax = pick(small[which.min(small[, 5]), ])))
}
cases <- list(of(0.1, 0.4, 0.05, 0.2, 30), of(0.05, 0.3, 0.05, 0.1, 35), of(0.4, 0.7, 0.1, 0.1, 32), of(0.6, 0.85, 0.05, 0.2, 35), of(0.01, 0.2, 0.1, 0.2, 25))
write_cases("simon_two_stage", "enumeration over all (n, n1, r1, r)", cases)
