"""Checks reporting events: python3 check_ars.py ars_ldm.schema.json EVENT.json...

Each must pass the published schema, and every id that it refers to must be there, once.
"""
import json
import sys

import jsonschema


def walk(node, key):
    if isinstance(node, dict):
        for name, value in node.items():
            if name == key:
                yield value
            yield from walk(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from walk(value, key)


def distinct(things):
    ids = [one["id"] for one in things]
    assert len(ids) == len(set(ids)), "ids are distinct"
    return set(ids)


schema = json.load(open(sys.argv[1]))
for path in sys.argv[2:]:
    event = json.load(open(path))
    jsonschema.Draft7Validator(schema).validate(event)
    sets, subsets = distinct(event["analysisSets"]), distinct(event["dataSubsets"])
    analyses, outputs = distinct(event["analyses"]), distinct(event["outputs"])
    distinct(event["methods"])
    operations = {one["id"]: distinct(one["operations"]) for one in event["methods"]}
    distinct(event["analysisGroupings"])
    groups = {one["id"]: distinct(one["groups"]) for one in event["analysisGroupings"]}
    for analysis in event["analyses"]:
        where = analysis["id"]
        assert analysis.get("analysisSetId") is None or analysis["analysisSetId"] in sets, where
        assert analysis.get("dataSubsetId") is None or analysis["dataSubsetId"] in subsets, where
        own = {one["groupingId"] for one in analysis["orderedGroupings"]}
        assert own <= set(groups), where
        seen = set()
        for result in analysis["results"]:
            assert result["operationId"] in operations[analysis["methodId"]], where
            for one in result.get("resultGroups", []):
                assert one["groupingId"] in own and one["groupId"] in groups[one["groupingId"]], (where, one)
            key = (result["operationId"], json.dumps(result.get("resultGroups")))
            assert key not in seen, (where, key)
            seen.add(key)
    assert set(walk(event["mainListOfContents"], "analysisId")) == analyses
    assert set(walk(event["mainListOfContents"], "outputId")) <= outputs
    print(path, len(analyses), "analyses", sum(len(one["results"]) for one in event["analyses"]), "results")
