# How often a mixed model for repeated measures (unstructured covariance, restricted likelihood, Kenward and Roger's degrees of freedom with
# the linear form of the covariance, as SAS has it) rejects at the last visit where nothing is to be found: 10 participants an arm, 3 visits,
# skewed residuals, a third of the participants gone early. The model is that of ../mmrm/generate.R, which is written out with whole matrices.
#
# Run: Rscript mmrm_type_one_error.R > mmrm_type_one_error.csv
suppressWarnings(library(nlme))
one <- identity; names_of <- identity; rows <- identity
for (part in parse("../mmrm/generate.R")) if (is.call(part) && identical(part[[1]], as.name("<-")) && is.call(part[[3]]) && identical(part[[3]][[1]], as.name("function"))) eval(part)
# The second opinion on the likelihood is left out.
gls <- function(...) stop("not asked")
set.seed(20260729)
trial <- function() {
  n <- 20; d <- data.frame(id = rep(1:n, each = 3), visit = factor(rep(1:3, n)), trt = factor(rep(c("a", "b"), each = 3 * n / 2)))
  d$y <- rep(rnorm(n), each = 3) + (rexp(3 * n) - 1) * c(1, 1.5, 2)
  gone <- ifelse(runif(n) < 1 / 3, sample(2:3, n, TRUE), 4)
  d$y[as.integer(d$visit) >= rep(gone, each = 3)] <- NA
  d
}
trials <- 3000
# A fit that does not come to rest does not reject.
p <- replicate(trials, tryCatch(model(trial(), "y", "trt * visit", "us", TRUE)$out$kenward_roger_linear_SAS$contrast_trt_last_minus_first$p[3], error = function(e) NA))
cat("test,trials,rate,failed\n")
cat(sprintf("mmrm_kenward_roger_10_10,%d,%.6f,%d\n", trials, mean(!is.na(p) & p <= 0.05), sum(is.na(p))))
