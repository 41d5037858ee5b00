# Reference numbers that base R gives for standardised differences.
# Run in this directory's parent: Rscript r/standardised_difference.R
# Means: difference over the root of the mean variance. Shares: Yang and Dalton (2012), through mahalanobis(),
# with the covariance of one multinomial draw taken as the mean of both groups'; of two categories signed.

number <- function(x) trimws(formatC(x, digits = 17, format = "g"))
list_of <- function(x) paste0("[", paste(vapply(x, number, ""), collapse = ", "), "]")
lines <- character()
means <- function(id, x, y) {
  d <- (mean(x) - mean(y)) / sqrt((var(x) + var(y)) / 2)
  lines <<- c(lines, paste0("  {\"id\": \"", id, "\", \"call\": \"(mean(x) - mean(y)) / sqrt((var(x) + var(y)) / 2)\", ",
    "\"input\": {\"x\": ", list_of(x), ", \"y\": ", list_of(y), "}, \"output\": {\"difference\": ", number(d), "}}"))
}
shares <- function(id, a, b) {
  p <- a / sum(a); q <- b / sum(b)
  multinomial <- function(p) diag(p) - p %*% t(p)
  keep <- -1
  d <- if (length(a) == 2) (p[1] - q[1]) / sqrt((p[1] * (1 - p[1]) + q[1] * (1 - q[1])) / 2) else
    sqrt(mahalanobis(p[keep], q[keep], ((multinomial(p) + multinomial(q)) / 2)[keep, keep]))
  lines <<- c(lines, paste0("  {\"id\": \"", id, "\", \"call\": \"sqrt(mahalanobis(p[-1], q[-1], S[-1, -1]))\", ",
    "\"input\": {\"first\": ", list_of(a), ", \"second\": ", list_of(b), "}, \"output\": {\"difference\": ", number(d), "}}"))
}
means("age", c(47, 52, 38, 61, 44, 50), c(41, 58, 39, 47, 36, 66, 52))
means("sleep", sleep$extra[sleep$group == 1], sleep$extra[sleep$group == 2])
means("far apart", c(100.5, 101.25, 99.75, 100), c(1.5, 2.5, 2, 3.125))
shares("sex", c(10, 4), c(8, 6))
shares("diagnosis", c(11, 3), c(13, 1))
shares("three levels", c(5, 6, 3), c(7, 2, 5))
shares("four levels", c(12, 30, 8, 3), c(9, 22, 20, 1))
shares("admissions by department", apply(UCBAdmissions[, "Male", ], 2, sum), apply(UCBAdmissions[, "Female", ], 2, sum))
writeLines(paste0("{\n \"method\": \"standardised_difference\",\n \"tool\": \"R ", getRversion(), "\",\n",
  " \"tolerance\": {\"rel\": 1e-9, \"abs\": 1e-12},\n \"cases\": [\n", paste(lines, collapse = ",\n"), "\n ]\n}"),
  "standardised_difference.json")
