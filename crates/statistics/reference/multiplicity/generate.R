# Random p-values with ties, ones, zeros and a single one.
source("../r/json.R")
set.seed(111)
of <- function(id, p) case(id, list(p = p), sapply(c("bonferroni", "holm", "hochberg", "hommel", "BH", "BY"),
  function(m) p.adjust(p, m), simplify = FALSE))
cases <- list(of("one", 0.03), of("ties", c(0.01, 0.01, 0.2, 0.2)), of("ends", c(0, 1, 0.5, 1)), of("missing", c(0.01, NA, 0.04, 0.03)))
for (m in c(2, 4, 7, 12, 25, 60)) cases <- c(cases, list(of(paste0("u", m), signif(runif(m), 4)), of(paste0("small", m), signif(rbeta(m, 0.4, 6), 3))))
write_cases("multiplicity", "p.adjust(p, method)", cases)
