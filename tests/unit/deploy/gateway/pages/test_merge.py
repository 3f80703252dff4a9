from collections.abc import Mapping

from deploy.gateway.pages.merge import merge_documents

REF = "#/components/schemas/"


def document(*paths: tuple[str, str, str], schemas: Mapping[str, object]) -> dict[str, object]:
    """Each path's method answers with a schema."""
    return {
        "info": {"version": "1.2", "description": "Every path."},
        "paths": {path: {method: {"responses": {"200": {"$ref": REF + name}}}} for path, method, name in paths},
        "components": {"schemas": schemas},
    }


def test_the_documents_of_both_services_become_one() -> None:
    merged = merge_documents(
        {
            "ingest": document(("/analytics", "post", "A"), schemas={"A": {}}),
            "aggregator": document(("/analytics", "get", "B"), ("/v1/hours/{hour}", "get", "B"), schemas={"B": {}}),
        }
    )

    assert {path: set(methods) for path, methods in merged["paths"].items()} == {
        "/analytics": {"get", "post"},
        "/v1/hours/{hour}": {"get"},
    }
    assert (merged["info"]["version"], merged["info"]["description"]) == ("1.2", "Every path.")
    assert set(merged["components"]["schemas"]) == {"A", "B"}


def test_what_each_process_answers_for_itself_is_left_out_with_its_schemas() -> None:
    schemas = {"Ready": {"of": {"$ref": REF + "Part"}}, "Part": {}, "A": {}}
    merged = merge_documents({"ingest": document(("/a", "post", "A"), ("/readyz", "get", "Ready"), schemas=schemas)})

    assert set(merged["paths"]) == {"/a"}
    assert set(merged["components"]["schemas"]) == {"A"}


def test_a_schema_is_kept_that_only_another_schema_refers_to() -> None:
    schemas = {"A": {"of": {"$ref": REF + "Part"}}, "Part": {}}

    assert set(merge_documents({"ingest": document(("/a", "get", "A"), schemas=schemas)})["components"]["schemas"]) == {
        "A",
        "Part",
    }


def test_equal_schemas_of_one_name_are_one() -> None:
    one = document(("/a", "post", "Problem"), schemas={"Problem": {"title": "one"}})
    other = document(("/b", "get", "Problem"), schemas={"Problem": {"title": "one"}})

    merged = merge_documents({"ingest": one, "aggregator": other})

    assert merged["components"]["schemas"] == {"Problem": {"title": "one"}}


def test_different_schemas_of_one_name_are_named_by_their_service() -> None:
    merged = merge_documents(
        {
            "ingest": document(("/a", "post", "Readiness"), schemas={"Readiness": {"title": "one"}}),
            "aggregator": document(("/b", "get", "Readiness"), schemas={"Readiness": {"title": "other"}}),
        }
    )

    assert merged["components"]["schemas"] == {
        "IngestReadiness": {"title": "one"},
        "AggregatorReadiness": {"title": "other"},
    }
    assert merged["paths"]["/a"]["post"]["responses"]["200"]["$ref"] == REF + "IngestReadiness"
    assert merged["paths"]["/b"]["get"]["responses"]["200"]["$ref"] == REF + "AggregatorReadiness"


def test_how_keys_are_sent_is_said_where_a_service_wants_keys() -> None:
    plain, keyed = document(("/a", "get", "A"), schemas={"A": {}}), document(("/b", "post", "A"), schemas={"A": {}})
    schemes = {"bearer": {"type": "http", "scheme": "bearer"}}
    keyed["components"] = {"schemas": {"A": {}}, "securitySchemes": schemes}

    assert "securitySchemes" not in merge_documents({"aggregator": plain})["components"]
    assert merge_documents({"aggregator": plain, "ingest": keyed})["components"]["securitySchemes"] == schemes
