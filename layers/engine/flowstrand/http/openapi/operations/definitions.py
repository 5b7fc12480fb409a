"""Looking at what can be started and scheduled."""

from __future__ import annotations

from flowstrand.http.definition_responses import DefinitionsFound
from flowstrand.http.list_query import ListQuery
from flowstrand.http.openapi.operation import Answer, Operation
from flowstrand.service.keys import Principal

TAG = "definitions"

OPERATIONS = (
    Operation(
        method="GET",
        path="/workflow-definitions",
        name="listWorkflowDefinitions",
        tag=TAG,
        summary="Workflows that can be started, by kind",
        principal=Principal.USER,
        query=ListQuery,
        answers={200: Answer(meaning="A page.", body=DefinitionsFound)},
    ),
    Operation(
        method="GET",
        path="/task-definitions",
        name="listTaskDefinitions",
        tag=TAG,
        summary="Tasks that workers have registered, by kind",
        principal=Principal.USER,
        query=ListQuery,
        answers={200: Answer(meaning="A page.", body=DefinitionsFound)},
    ),
)
