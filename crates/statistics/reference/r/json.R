# Writes reference files. Each generator sources this; run a generator in the directory it lies in.
# A bare number is marked with one(), so that a list of one number stays a list.

one <- function(x) structure(unname(x), class = "scalar")
number <- function(x) {
  if (is.null(x) || length(x) == 0) return("null")
  if (is.character(x)) return(paste0("\"", x, "\""))
  if (is.na(x)) return("null")
  if (is.logical(x)) return(if (x) "true" else "false")
  if (is.infinite(x)) return(if (x > 0) "\"Inf\"" else "\"-Inf\"")
  for (digits in 15:17) {
    text <- formatC(x, digits = digits, format = "g")
    if (as.numeric(text) == x) return(text)
  }
  text
}
json <- function(x) {
  if (is.null(x)) return("null")
  if (inherits(x, "scalar")) return(number(unclass(x)))
  if (is.list(x)) {
    if (is.null(names(x))) return(paste0("[", paste(vapply(x, json, ""), collapse = ", "), "]"))
    fields <- mapply(function(k, v) paste0("\"", k, "\": ", json(v)), names(x), x)
    return(paste0("{", paste(fields, collapse = ", "), "}"))
  }
  paste0("[", paste(vapply(as.vector(x), number, ""), collapse = ", "), "]")
}
rows <- function(m) lapply(seq_len(nrow(m)), function(i) unname(m[i, ]))
names_of <- function(x) if (length(x) == 1) one(x) else unname(x)
tool <- function(...) {
  packages <- c(...)
  versions <- vapply(packages, function(p) paste(p, packageVersion(p)), "")
  paste(c(paste("R", getRversion()), versions), collapse = "; ")
}
# cases: a list of list(id, input, output); tolerance: a list as it is written, in place of rel and abs
write_cases <- function(method, call, cases, packages = c(), rel = 1e-9, abs = 1e-12, tolerance = list(rel = rel, abs = abs)) {
  text <- paste0("{\n \"method\": \"", method, "\",\n \"tool\": \"", tool(packages), "\",\n",
    " \"tolerance\": ", json(marked(tolerance)), ",\n \"cases\": [\n",
    paste(vapply(cases, function(case) paste0("  {\"id\": \"", case$id, "\", \"call\": \"", call, "\", \"input\": ",
      json(case$input), ", \"output\": ", json(case$output), "}"), ""), collapse = ",\n"), "\n ]\n}\n")
  writeLines(text, "cases.json", sep = "")
}
case <- function(id, input, output) list(id = id, input = input, output = output)
marked <- function(x) if (is.list(x)) lapply(x, marked) else one(x)
# Solves f(x) = 0 for a monotone f, as far as doubles allow.
solve_root <- function(f, low, high) uniroot(f, c(low, high), tol = 1e-15, maxiter = 10000)$root
