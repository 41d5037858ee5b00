"""Checks what a machine can check of a PDF's structure, with pikepdf (qpdf) alone.

    python3 structure.py FILE

Prints one JSON document: counts of what was found, and one line for each fault.
The rules, by their place in ISO 14289-1 (PDF/UA-1) or ISO 19005-2 (PDF/A-2):

  UA 5         the metadata name PDF/UA-1; A 6.6.4: and PDF/A-2a
  UA 7.1       marked as tagged; a title, shown in the window; a default language;
               all content is either tagged or an artifact
  UA 7.3       a figure has words in its place
  UA 7.4       headings start at the first level and skip none
  UA 7.5       a table's header cells say what they are the head of; rows are equally long
  UA 7.6       lists hold items, items hold a body
  UA 7.18      links say what they lead to, are part of the structure, and tab in its order
  UA 7.21      fonts are embedded and lead back to characters
  A 6.1.2 ff.  no encryption, no scripts, an output intent
"""

import collections
import json
import re
import sys

import pikepdf

PAINTING = {
    "Tj", "TJ", "'", '"', "S", "s", "f", "F", "f*", "B", "B*", "b", "b*", "sh", "Do", "BI", "INLINE IMAGE",
}


def metadata(pdf, faults):
    """The identifiers and the title in the XMP packet."""
    stream = pdf.Root.get("/Metadata")
    if stream is None:
        faults.append("there is no metadata")
        return
    text = bytes(stream.read_bytes()).decode("utf-8")

    def says(name):
        element = re.search(rf"<{name}>\s*(.*?)\s*</{name}>", text, re.S)
        attribute = re.search(rf'{name}="(.*?)"', text)
        found = element or attribute
        return re.sub(r"<.*?>", "", found.group(1)).strip() if found else None

    for name, due in [("pdfuaid:part", "1"), ("pdfaid:part", "2"), ("pdfaid:conformance", "A")]:
        if says(name) != due:
            faults.append(f"the metadata say {name} = {says(name)}, not {due}")
    if not says("dc:title"):
        faults.append("the metadata have no title")


def catalogue(pdf, faults):
    """What the catalogue must say of the whole file."""
    root = pdf.Root
    if pdf.is_encrypted:
        faults.append("the file is encrypted")
    if not bool(root.get("/MarkInfo", {}).get("/Marked", False)):
        faults.append("the file is not marked as tagged")
    if not str(root.get("/Lang", "")):
        faults.append("there is no default language")
    if not bool(root.get("/ViewerPreferences", {}).get("/DisplayDocTitle", False)):
        faults.append("a window would show the file's name in place of its title")
    if "/OutputIntents" not in root:
        faults.append("there is no output intent")
    if "/Outlines" not in root:
        faults.append("there is no outline")
    names = root.get("/Names", {})
    if "/JavaScript" in names or "/OpenAction" in root and "/JS" in root.OpenAction:
        faults.append("the file holds scripts")


def kids(element):
    held = element.get("/K", [])
    return held if isinstance(held, pikepdf.Array) else [held]


class Structure:
    """The structure tree, walked once in reading order."""

    def __init__(self, pdf, faults):
        self.faults, self.counts, self.level = faults, collections.Counter(), 0
        self.linked = set()
        tree = pdf.Root.get("/StructTreeRoot")
        if tree is None:
            faults.append("there is no structure tree")
            return
        self.roles = {str(key): str(value) for key, value in tree.get("/RoleMap", {}).items()}
        for kid in kids(tree):
            self.walk(kid)

    def role(self, element):
        role = str(element.get("/S", ""))
        return self.roles.get(role, role)

    def elements(self, element):
        for kid in kids(element):
            if isinstance(kid, pikepdf.Dictionary) and "/S" in kid:
                yield kid

    def walk(self, element):
        if not (isinstance(element, pikepdf.Dictionary) and "/S" in element):
            return
        role = self.role(element)
        self.counts[role] += 1
        heading = re.fullmatch(r"/H([1-6])", role)
        if heading:
            self.heading(int(heading.group(1)))
        elif role == "/Figure" and not str(element.get("/Alt", "")).strip():
            self.faults.append("a figure has no words in its place")
        elif role == "/Table":
            self.table(element)
        elif role == "/L":
            for item in self.elements(element):
                if self.role(item) not in ("/LI", "/L", "/Caption"):
                    self.faults.append(f"a list holds {self.role(item)}")
        elif role == "/LI" and not any(self.role(kid) == "/LBody" for kid in self.elements(element)):
            self.faults.append("an item of a list has no body")
        elif role == "/Link":
            objects = [kid for kid in kids(element) if isinstance(kid, pikepdf.Dictionary) and "/Obj" in kid]
            if not objects:
                self.faults.append("a link's tag leads to no link")
            self.linked.update(kid.Obj.objgen for kid in objects)
        for kid in self.elements(element):
            self.walk(kid)

    def heading(self, level):
        if level > self.level + 1:
            self.faults.append(f"a heading of level {level} follows one of level {self.level}")
        self.level = level

    def attribute(self, cell, name):
        held = cell.get("/A", [])
        for one in held if isinstance(held, pikepdf.Array) else [held]:
            if isinstance(one, pikepdf.Dictionary) and name in one:
                return one[name]
        return None

    def rows(self, element):
        for kid in self.elements(element):
            role = self.role(kid)
            if role == "/TR":
                yield kid
            elif role in ("/THead", "/TBody", "/TFoot"):
                yield from self.rows(kid)
            elif role != "/Caption":
                self.faults.append(f"a table holds {role}")

    def table(self, element):
        widths, heads = [], 0
        for row in self.rows(element):
            width = 0
            for cell in self.elements(row):
                role = self.role(cell)
                width += int(self.attribute(cell, "/ColSpan") or 1)
                if role == "/TH":
                    heads += 1
                    if self.attribute(cell, "/Scope") is None:
                        self.faults.append("a header cell does not say what it is the head of")
                elif role != "/TD":
                    self.faults.append(f"a row holds {role}")
            widths.append(width)
        if len(set(widths)) > 1:
            self.faults.append(f"a table's rows have {sorted(set(widths))} columns")
        if heads == 0:
            self.faults.append("a table has no header cell")


def content(page, number, faults):
    """All that is painted is tagged or an artifact."""
    depth, stray = 0, collections.Counter()
    for instruction in pikepdf.parse_content_stream(page):
        operator = str(instruction.operator)
        if operator in ("BDC", "BMC"):
            depth += 1
        elif operator == "EMC":
            depth -= 1
        elif operator in PAINTING and depth == 0:
            stray[operator] += 1
    if stray:
        faults.append(f"page {number} paints outside of all tags: {dict(stray)}")
    if depth:
        faults.append(f"page {number} leaves {depth} tags open")


def fonts(resources, number, faults, seen):
    for name, font in resources.get("/Font", {}).items():
        if font.objgen in seen:
            continue
        seen.add(font.objgen)
        inner = font.DescendantFonts[0] if "/DescendantFonts" in font else font
        descriptor = inner.get("/FontDescriptor", {})
        if not any(key in descriptor for key in ("/FontFile", "/FontFile2", "/FontFile3")):
            faults.append(f"page {number}: font {font.get('/BaseFont', name)} is not embedded")
        if "/ToUnicode" not in font:
            faults.append(f"page {number}: font {font.get('/BaseFont', name)} does not lead back to characters")
    for _, form in resources.get("/XObject", {}).items():
        if form.objgen not in seen:
            seen.add(form.objgen)
            fonts(form.get("/Resources", {}), number, faults, seen)


def links(page, number, structure, faults):
    held = page.get("/Annots", [])
    if len(held) and page.get("/Tabs") != "/S":
        faults.append(f"page {number} does not tab in the order of its structure")
    for link in held:
        if not str(link.get("/Contents", "")).strip():
            faults.append(f"page {number}: a link does not say where it leads")
        if "/StructParent" not in link or link.objgen not in structure.linked:
            faults.append(f"page {number}: a link is no part of the structure")
    return len(held)


def main(path):
    faults, seen = [], set()
    with pikepdf.open(path) as pdf:
        metadata(pdf, faults)
        catalogue(pdf, faults)
        structure = Structure(pdf, faults)
        count = 0
        for number, page in enumerate(pdf.pages, 1):
            content(page, number, faults)
            fonts(page.get("/Resources", {}), number, faults, seen)
            count += links(page.obj, number, structure, faults)
        counts = {
            "pages": len(pdf.pages),
            "turned": sum(float(page.mediabox[2]) > float(page.mediabox[3]) for page in pdf.pages),
            "links": count,
            **{role.lstrip("/"): n for role, n in sorted(structure.counts.items())},
        }
    print(json.dumps({"counts": counts, "faults": faults}, indent=1))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
