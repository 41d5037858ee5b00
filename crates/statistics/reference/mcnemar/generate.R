# Random discordant pairs, also in one direction only.
source("../r/json.R")
of <- function(b, c) {
  m <- rbind(c(11, b), c(c, 6)); n <- b + c
  e <- binom.test(b, n); ci <- as.vector(e$conf.int)
  u <- mcnemar.test(m, correct = FALSE); k <- mcnemar.test(m, correct = TRUE)
  mid <- if (b == c) list() else list(p_midp = one(e$p.value - dbinom(b, n, 0.5)))
  case(paste0("b", b, "c", c), list(table_rows = rows(m)), c(list(chisq = one(u$statistic), p = one(u$p.value),
    chisq_cc = one(k$statistic), p_cc = one(k$p.value), p_exact = one(e$p.value),
    or_b_over_c = one(b / c), or_ci95_exact = ci / (1 - ci), exact2x2_p = one(e$p.value), exact2x2_ci = ci / (1 - ci)), mid))
}
cases <- list()
for (pair in list(c(1, 0), c(0, 3), c(5, 5), c(2, 9), c(9, 2), c(14, 0), c(30, 21), c(120, 160), c(1, 2), c(6, 7)))
  cases <- c(cases, list(of(pair[1], pair[2])))
write_cases("mcnemar", "mcnemar.test(m, correct=FALSE|TRUE); binom.test(b, b+c)", cases)
