# Reference numbers that base R gives for agreement, blinding, predictive probability and scored CMH tests.
# Run in this directory's parent: Rscript r/agreement_and_monitoring.R
# Variances of James' index come from R's symbolic differentiation, mean squares from aov().

number <- function(x) {
  if (is.null(x) || length(x) == 0) return("null")
  if (is.character(x)) return(paste0("\"", x, "\""))
  if (is.na(x)) return("null")
  if (is.infinite(x)) return(if (x > 0) "\"Inf\"" else "\"-Inf\"")
  formatC(x, digits = 17, format = "g")
}
json <- function(x) {
  if (is.list(x)) {
    if (is.null(names(x))) return(paste0("[", paste(vapply(x, json, ""), collapse = ", "), "]"))
    return(paste0("{", paste(mapply(function(k, v) paste0("\"", k, "\": ", json(v)), names(x), x), collapse = ", "), "}"))
  }
  if (inherits(x, "scalar")) return(number(unclass(x)))
  paste0("[", paste(vapply(x, number, ""), collapse = ", "), "]")
}
one <- function(x) structure(unname(x), class = "scalar")
rows <- function(m) lapply(seq_len(nrow(m)), function(i) unname(m[i, ]))
write_file <- function(file, method, call, cases) {
  text <- paste0("{\n \"method\": \"", method, "\",\n \"tool\": \"R ", getRversion(), "\",\n",
    " \"tolerance\": {\"rel\": 1e-9, \"abs\": 1e-12},\n \"cases\": [\n",
    paste(mapply(function(id, case) paste0("  {\"id\": \"", id, "\", \"call\": \"", call, "\", \"input\": ",
      json(case$input), ", \"output\": ", json(case$output), "}"), names(cases), cases), collapse = ",\n"),
    "\n ]\n}\n")
  writeLines(text, file, sep = "")
}

# Intraclass correlation --------------------------------------------------------------------------
icc_case <- function(x) {
  n <- nrow(x); k <- ncol(x); a <- 0.05
  long <- data.frame(v = as.vector(x), s = factor(rep(seq_len(n), k)), r = factor(rep(seq_len(k), each = n)))
  one_way <- anova(aov(v ~ s, long)); two_way <- anova(aov(v ~ s + r, long))
  msb <- one_way["s", "Mean Sq"]; msw <- one_way["Residuals", "Mean Sq"]
  msj <- two_way["r", "Mean Sq"]; mse <- two_way["Residuals", "Mean Sq"]
  simple <- function(f, d1, d2) {
    lo <- f / qf(1 - a / 2, d1, d2); hi <- f * qf(1 - a / 2, d2, d1)
    list(estimate = one((f - 1) / (f + k - 1)), ci95 = c((lo - 1) / (lo + k - 1), (hi - 1) / (hi + k - 1)),
      F = one(f), df = c(d1, d2), p = one(pf(f, d1, d2, lower.tail = FALSE)))
  }
  icc2 <- (msb - mse) / (msb + (k - 1) * mse + k * (msj - mse) / n)
  fj <- msj / mse
  # Shrout and Fleiss (1979), in the arrangement of their equation for the degrees of freedom
  vn <- (k - 1) * (n - 1) * (k * icc2 * fj + n * (1 + (k - 1) * icc2) - k * icc2)^2
  vd <- (n - 1) * k^2 * icc2^2 * fj^2 + (n * (1 + (k - 1) * icc2) - k * icc2)^2
  v <- vn / vd
  fu <- qf(1 - a / 2, n - 1, v); fl <- qf(1 - a / 2, v, n - 1)
  lo <- n * (msb - fu * mse) / (fu * (k * msj + (k * n - k - n) * mse) + n * msb)
  hi <- n * (fl * msb - mse) / (k * msj + (k * n - k - n) * mse + n * fl * msb)
  second <- simple(msb / mse, n - 1, (n - 1) * (k - 1))
  second$estimate <- one(icc2); second$ci95 <- c(lo, hi)
  list(input = list(ratings = rows(x)), output = list(
    ICC1 = simple(msb / msw, n - 1, n * (k - 1)), ICC2 = second,
    ICC3 = simple(msb / mse, n - 1, (n - 1) * (k - 1))))
}
shrout_fleiss <- matrix(c(9, 2, 5, 8, 6, 1, 3, 2, 8, 4, 6, 8, 7, 1, 2, 6, 10, 5, 6, 9, 6, 2, 4, 7), 6, byrow = TRUE)
readers <- matrix(c(3, 2, 1, 1, 0, 0, 2, 3, 4, 4, 2, 1, 3, 3, 1, 2, 0, 1, 2, 2, 4, 3, 1, 1), 12, byrow = TRUE)
write_file("icc.json", "icc", "aov(v ~ subject), aov(v ~ subject + rater); Shrout and Fleiss 1979",
  list(shrout_fleiss = icc_case(shrout_fleiss), two_readers = icc_case(readers)))

# Limits of agreement -----------------------------------------------------------------------------
ba_case <- function(x, y) {
  t <- t.test(x, y, paired = TRUE); d <- x - y; n <- length(d); z <- qnorm(0.975)
  limits <- mean(d) + c(-1, 1) * z * sd(d)
  half <- qt(0.975, n - 1) * sqrt(var(d) * (1 / n + z^2 / (2 * (n - 1))))
  list(input = list(x = x, y = y), output = list(n = one(n), bias = one(t$estimate), bias_ci95 = as.vector(t$conf.int),
    sd = one(sd(d)), limits = limits, lower_limit_ci95 = limits[1] + c(-1, 1) * half,
    upper_limit_ci95 = limits[2] + c(-1, 1) * half))
}
write_file("bland_altman.json", "bland_altman", "t.test(x, y, paired = TRUE); Bland and Altman 1999", list(
  thickness = ba_case(c(1.82, 2.1, 1.55, 2.4, 1.95, 2.05, 1.7, 2.3), c(1.75, 2.2, 1.5, 2.25, 2.0, 1.9, 1.72, 2.18)),
  sleep = ba_case(sleep$extra[1:10], sleep$extra[11:20])))

# Kappa -------------------------------------------------------------------------------------------
kappa_one <- function(m, w) {
  p <- m / sum(m); e <- outer(rowSums(p), colSums(p))
  po <- sum(w * p); pe <- sum(w * e); k <- (po - pe) / (1 - pe); n <- sum(m)
  wi <- as.vector(w %*% colSums(p)); wj <- as.vector(t(w) %*% rowSums(p))
  margin <- outer(wi, wj, "+")
  se <- sqrt((sum(p * (w - margin * (1 - k))^2) - (k - pe * (1 - k))^2) / (n * (1 - pe)^2))
  se0 <- sqrt((sum(e * (w - margin)^2) - pe^2) / (n * (1 - pe)^2))
  list(estimate = one(k), se = one(se), ci95 = k + c(-1, 1) * qnorm(0.975) * se, se_null = one(se0),
    p = one(2 * pnorm(-abs(k / se0))))
}
kappa_case <- function(m) {
  c <- nrow(m); d <- abs(row(m) - col(m)) / (c - 1)
  list(input = list(table_rows = rows(m)), output = list(unweighted = kappa_one(m, (d == 0) * 1),
    linear = kappa_one(m, 1 - d), quadratic = kappa_one(m, 1 - d^2)))
}
write_file("weighted_kappa.json", "weighted_kappa", "matrix algebra; Fleiss, Cohen and Everitt 1969", list(
  biopsy = kappa_case(matrix(c(11, 3, 1, 0, 2, 14, 4, 1, 0, 3, 9, 2, 0, 1, 2, 7), 4, byrow = TRUE)),
  yes_no = kappa_case(matrix(c(20, 5, 10, 15), 2, byrow = TRUE)),
  below_chance = kappa_case(matrix(c(1, 6, 2, 7, 0, 3, 4, 2, 1), 3, byrow = TRUE))))

# Blinding indices --------------------------------------------------------------------------------
# p1..p4: right in arm 1, wrong in arm 1, wrong in arm 2, right in arm 2; p5: don't know
james <- quote((1 + p5 + (1 - p5) * (((0.5 * p2 + 0.5 * p3) / (1 - p5)) /
  ((0.5 * (p1 + p3) * (p3 + p4) + 0.5 * (p2 + p4) * (p1 + p2)) / (1 - p5)^2) - 1)) / 2)
james_gradient <- deriv(james, paste0("p", 1:5))
summary_of <- function(estimate, se, null) {
  list(estimate = one(estimate), se = one(se), ci95 = estimate + c(-1, 1) * qnorm(0.975) * se,
    p = one(2 * pnorm(-abs((estimate - null) / se))))
}
bang <- function(a) {
  q <- a / sum(a)
  summary_of(q[1] - q[2], sqrt((q[1] * (1 - q[1]) + q[2] * (1 - q[2]) + 2 * q[1] * q[2]) / sum(a)), 0)
}
blinding_case <- function(a, b) {
  n <- sum(a, b); p <- c(a[1], a[2], b[2], b[1], a[3] + b[3]) / n
  value <- do.call(function(p1, p2, p3, p4, p5) eval(james_gradient), as.list(p))
  g <- as.vector(attr(value, "gradient"))
  se <- sqrt((sum(p * g^2) - sum(p * g)^2) / n)
  # The variance in the form of James and others (1996) must be the same
  d <- p[5]; P <- rbind(c(p[1], p[3]), c(p[2], p[4])); w <- rbind(c(0, 0.5), c(0.5, 0))
  do <- sum(w * P) / (1 - d); de <- sum(w * outer(rowSums(P), colSums(P))) / (1 - d)^2; kd <- (do - de) / de
  inner <- sapply(1:2, function(j) sapply(1:2, function(i) sum(w[, j] * rowSums(P)) + sum(w[i, ] * colSums(P))))
  term1 <- sum(P * ((1 - d) * w - (1 + kd) * inner)^2) / (4 * (1 - d)^2 * de^2)
  term2 <- d * (1 - d) - (1 - d) * (1 + kd) * (d + (1 - d) * (1 + kd) / 4)
  stopifnot(all.equal(se^2 * n, term1 + term2, tolerance = 1e-12))
  list(input = list(arm1 = a, arm2 = b), output = list(bang_arm1 = bang(a), bang_arm2 = bang(b),
    james = summary_of(as.vector(value), se, 0.5)))
}
write_file("blinding_index.json", "blinding_index", "deriv(); Bang and others 2004, James and others 1996", list(
  crisp = blinding_case(c(82, 25, 170), c(27, 29, 83)), small = blinding_case(c(7, 3, 4), c(5, 6, 3)),
  no_unknown = blinding_case(c(9, 5, 0), c(8, 6, 0))))

# Predictive probability --------------------------------------------------------------------------
predictive_case <- function(x, n, n_final, p0, a, b, threshold) {
  y <- 0:(n_final - n); m <- n_final - n
  stops <- pbeta(p0, a + x + y, b + n_final - x - y, lower.tail = FALSE) >= threshold
  weights <- choose(m, y) * beta(a + x + y, b + n - x + m - y) / beta(a + x, b + n - x)
  list(input = list(events = one(x), n = one(n), n_final = one(n_final), p0 = one(p0), prior_a = one(a),
    prior_b = one(b), threshold = one(threshold)), output = list(
    posterior = one(pbeta(p0, a + x, b + n - x, lower.tail = FALSE)), predictive = one(sum(weights[stops]))))
}
write_file("predictive_probability.json", "predictive_probability", "pbeta, beta", list(
  half_way = predictive_case(4, 15, 30, 0.2, 0.6, 2.4, 0.9), early = predictive_case(1, 5, 30, 0.2, 1, 1, 0.95),
  late = predictive_case(9, 28, 30, 0.2, 0.6, 2.4, 0.963), response = predictive_case(6, 17, 40, 0.3, 0.3, 0.7, 0.9)))

# Scored CMH tests --------------------------------------------------------------------------------
cmh_case <- function(x) {
  K <- dim(x)[3]; R <- dim(x)[1]; C <- dim(x)[2]
  g <- 0; v <- 0; gc <- 0; vc <- 0
  for (k in seq_len(K)) {
    m <- x[, , k]; n <- sum(m); r <- rowSums(m); b <- seq_len(C); a <- seq_len(R)
    mu <- sum(colSums(m) * b) / n; s2 <- sum(colSums(m) * (b - mu)^2) / (n - 1)
    g <- g + (as.vector(m %*% b) - r * mu)[-R]
    v <- v + s2 * (diag(r) - outer(r, r) / n)[-R, -R]
    nu <- sum(r * a) / n
    gc <- gc + sum(outer(a - nu, b - mu) * m); vc <- vc + s2 * sum(r * (a - nu)^2)
  }
  q <- as.vector(g %*% solve(v, g)); qc <- gc^2 / vc
  if (K == 1) {  # with one stratum both statistics are (n - 1) times a squared correlation
    long <- data.frame(i = rep(as.vector(row(m)), m), j = rep(as.vector(col(m)), m))
    stopifnot(all.equal(q, (n - 1) * summary(lm(j ~ factor(i), long))$r.squared), all.equal(qc, (n - 1) * cor(long$i, long$j)^2))
  }
  t <- if (K > 1) mantelhaen.test(x) else NULL
  out <- list(row_mean_scores = one(q), row_mean_scores_df = one(R - 1),
    row_mean_scores_p = one(pchisq(q, R - 1, lower.tail = FALSE)), correlation = one(qc),
    correlation_p = one(pchisq(qc, 1, lower.tail = FALSE)))
  if (K > 1) out <- c(list(general_association_M2 = one(t$statistic), df = one(t$parameter), p = one(t$p.value)), out)
  list(input = list(dim = dim(x), array_column_major = as.vector(x)), output = out)
}
ucb <- array(c(4, 6, 3, 5, 2, 7, 1, 8, 4, 3, 5, 6, 2, 4, 4, 7, 3, 5), c(3, 3, 2))
write_file("cmh_scores.json", "cmh", "mantelhaen.test, lm, cor; Landis and others 1978", list(
  two_strata = cmh_case(ucb), one_stratum = cmh_case(ucb[, , 1, drop = FALSE]),
  two_by_four = cmh_case(array(c(3, 6, 5, 4, 8, 2, 4, 7, 2, 5, 6, 6, 1, 3, 9, 2), c(2, 4, 2)))))
