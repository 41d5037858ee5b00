# How often each exact test rejects where nothing is to be found, by counting every outcome: no simulation. The p-values are
# those of R's own tests; where base R has none for ties (rank-sum, signed-rank), of the permutation distribution written out.
#
# Run: Rscript exact_sizes.R > exact_sizes.csv
alphas <- c(0.01, 0.025, 0.05, 0.1)
# R's own guard against rounding in the comparison of probabilities is 1e-7; a p-value that ties with alpha counts as at it.
rejects <- function(p) sapply(alphas, function(a) p <= a * (1 + 1e-9))
cat("test,case,alpha,size\n")
say <- function(test, case, p, probability) {
  stopifnot(abs(sum(probability) - 1) < 1e-6)
  cat(sprintf("%s,%s,%g,%.15g\n", test, case, alphas, colSums(rejects(p) * probability)), sep = "")
}

# All outcomes of two arms of 14 and 13 with one chance.
outcomes <- expand.grid(a = 0:14, c = 0:13)
p <- mapply(function(a, c) fisher.test(rbind(c(a, 14 - a), c(c, 13 - c)))$p.value, outcomes$a, outcomes$c)
for (chance in c(0.05, 0.2, 0.5)) say("fisher", chance, p, dbinom(outcomes$a, 14, chance) * dbinom(outcomes$c, 13, chance))

for (n in c(10, 30)) for (chance in c(0.1, 0.3, 0.5))
  say("binomial", paste(n, chance), sapply(0:n, function(x) binom.test(x, n, chance)$p.value), dbinom(0:n, n, chance))

# Pairs of yes or no: b and c of 18 disagree in either sense, each with the same chance.
pairs <- subset(expand.grid(b = 0:18, c = 0:18), b + c <= 18)
p <- mapply(function(b, c) if (b + c == 0) 1 else binom.test(b, b + c, 0.5)$p.value, pairs$b, pairs$c)
for (chance in c(0.1, 0.3)) say("mcnemar", chance, p, apply(pairs, 1, function(x) dmultinom(c(x, 18 - sum(x)), prob = c(chance, chance, 1 - 2 * chance))))

# Counts of events at one rate in 10 and 17 units of time, up to where what is left out has a chance below 1e-12.
counts <- expand.grid(x = 0:40, y = 0:60)
p <- mapply(function(x, y) if (x + y == 0) 1 else poisson.test(c(x, y), c(10, 17))$p.value, counts$x, counts$y)
for (rate in c(0.15, 0.6)) say("rate_ratio", rate, p, dpois(counts$x, 10 * rate) * dpois(counts$y, 17 * rate))

# Two strata of 5 against 4 and 4 against 5, with chances of their own.
strata <- expand.grid(a = 0:5, c = 0:4, e = 0:4, g = 0:5)
p <- apply(strata, 1, function(s) {
  if (s[1] + s[2] == 0 && s[3] + s[4] == 0) return(1)
  tables <- array(c(s[1], s[2], 5 - s[1], 4 - s[2], s[3], s[4], 4 - s[3], 5 - s[4]), c(2, 2, 2))
  margins <- apply(tables, c(2, 3), sum)
  if (all(margins[1, ] * margins[2, ] == 0)) return(1)
  mantelhaen.test(tables, exact = TRUE)$p.value
})
for (chance in c(0.2, 0.5)) say("stratified_exact", chance, p,
  dbinom(strata$a, 5, chance) * dbinom(strata$c, 4, chance) * dbinom(strata$e, 4, chance / 2) * dbinom(strata$g, 5, chance / 2))

# Every way to give 6 of 13 tied values to the first arm; the p-value is the share of ways as far from the mean.
values <- c(-4, -2, -2, -1, 0, 0, 0, 1, 1, 3, 3, 3, 8)
w <- colSums(combn(13, 6, function(chosen) rank(values)[chosen]))
far <- round(abs(w - mean(w)), 9)
p <- sapply(far, function(one) mean(far >= one))
say("rank_sum_exact", "tied 6 of 13", p, rep(1 / length(w), length(w)))
# Without ties R has the test itself.
p <- apply(combn(11, 5), 2, function(chosen) wilcox.test((1:11)[chosen], (1:11)[-chosen])$p.value)
say("rank_sum_exact", "untied 5 of 11", p, rep(1 / length(p), length(p)))

# Every sign of 11 differences with ties, and one more that is zero and dropped.
sizes <- c(1, 1, 2, 2, 2, 3, 5, 5, 7, 8, 8)
signs <- as.matrix(expand.grid(rep(list(0:1), 11)))
v <- signs %*% rank(sizes)
far <- round(abs(v - mean(v)), 9)
p <- sapply(far, function(one) mean(far >= one))
say("signed_rank_exact", "tied 11", p, rep(1 / length(v), length(v)))
p <- apply(as.matrix(expand.grid(rep(list(c(-1, 1)), 9))), 1, function(s) wilcox.test(s * 1:9)$p.value)
say("signed_rank_exact", "untied 9", p, rep(1 / length(p), length(p)))

say("sign_test", "15", sapply(0:15, function(x) binom.test(x, 15, 0.5)$p.value), dbinom(0:15, 15, 0.5))
