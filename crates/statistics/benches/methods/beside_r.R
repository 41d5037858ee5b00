# Times the same methods on the same data as the benchmark beside it.
# Rscript beside_r.R DIR: reads DIR/*.csv, prints a line `name seconds` a method, the median of five timings.
# exactRankTests, survival, mmrm and rbmi are used where they are installed; without mmrm, nlme's gls stands for its fit.
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
wide <- function(name) {
  d <- read(name); d$f <- factor(d$visit); d$v <- d$visit + 1; d$id <- factor(d$id); d$trt <- factor(d$arm); d
}
if (have("mmrm")) {
  fit <- function(d, method) mmrm::mmrm(y ~ f * trt + f * base + us(f | id), d, method = method)
} else if (have("nlme")) {
  library(nlme)
  fit <- function(d, method)
    gls(y ~ f * trt + f * base, d, correlation = corSymm(form = ~ v | id), weights = varIdent(form = ~ 1 | f))
}
if (exists("fit")) for (n in c("200x4", "1000x4")) {
  d <- wide(paste0("mixed_", n))
  time(paste0("mmrm_", n, "_s"), function() summary(fit(d, "Satterthwaite")), 1)
  time(paste0("mmrm_", n, "_kr"), function() summary(fit(d, "Kenward-Roger-Linear")), 1)
}
if (have("rbmi")) {
  suppressWarnings(suppressMessages(library(rbmi)))
  d <- wide("mixed_100x4")
  full <- expand_locf(d, id = levels(d$id), f = levels(d$f), vars = c("base", "trt"), group = "id", order = c("id", "f"))
  gone <- do.call(rbind, lapply(split(full, full$id), function(x) {
    last <- max(which(!is.na(x$y)))
    if (last < nrow(x)) data.frame(id = x$id[1], f = x$f[last + 1], strategy = "JR")
  }))
  vars <- set_vars(subjid = "id", visit = "f", outcome = "y", group = "trt", covariates = c("f*base", "f*trt"))
  time("jump_100x4_20_draws", function() {
    drawn <- draws(full, gone, vars, method_approxbayes(n_samples = 20), quiet = TRUE)
    vars$covariates <- "base"
    pool(analyse(impute(drawn, references = c("0" = "0", "1" = "0")), vars = vars))
  }, 1)
}
