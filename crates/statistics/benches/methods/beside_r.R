# Times the same methods on the same data as the benchmark beside it.
# Rscript beside_r.R DIR: reads DIR/*.csv, prints a line `name seconds` a method, the median of five timings.
# exactRankTests and survival are used where they are installed.
dir <- commandArgs(TRUE)[1]
read <- function(name) read.csv(file.path(dir, paste0(name, ".csv")))
have <- function(package) suppressWarnings(suppressMessages(requireNamespace(package, quietly = TRUE)))
time <- function(name, f, calls) {
  f()
  seconds <- replicate(5, system.time(for (i in seq_len(calls)) f())[["elapsed"]] / calls)
  cat(name, median(seconds), "\n")
}
a <- read("rank_sum_2x14"); x <- a$x; y <- a$y
time("rank_sum_2x14", function() wilcox.test(x, y, exact = TRUE)$p.value, 300)
if (have("exactRankTests")) {
  suppressWarnings(suppressMessages(library(exactRankTests)))
  t <- read("rank_sum_2x14_ties"); u <- t$x; v <- t$y
  time("rank_sum_2x14_ties", function() wilcox.exact(u, v, exact = TRUE)$p.value, 20)
  l <- read("rank_sum_2x100_ties"); p <- l$x; q <- l$y
  time("rank_sum_2x100_ties", function() wilcox.exact(p, q, exact = TRUE)$p.value, 1)
}
d <- read("ancova_2x100")
time("ancova_2x100", function() summary(lm(change ~ base + arm, d))$coefficients, 100)
if (have("survival")) {
  library(survival)
  s <- read("log_rank_400")
  time("log_rank_400", function() survdiff(Surv(time, event) ~ arm, s)$chisq, 50)
  k <- read("cox_1000")
  time("cox_1000", function() coxph(Surv(time, event) ~ arm + age + dose, k)$coefficients, 10)
}
