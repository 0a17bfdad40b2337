"""The simplest possible service: FastAPI and vowpalwabbit, without a log, rewards or learning.

It takes the body as a plain dictionary, which is faster than a model class with checks, and keeps nothing.
Served by uvicorn with httptools and uvloop, as Sartor is. Model and settings come from the environment.
"""

import json
import os
import random
from typing import Any

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from vowpalwabbit import Workspace

_source = random.Random(1)
_workspace = Workspace(
    f"{os.environ['PLAIN_ARGUMENTS']} --dsjson --quiet --initial_regressor {os.environ['PLAIN_MODEL']}"
)


async def rank(body: dict[str, Any]) -> JSONResponse:
    """Answer one rank in the shape of the Personalizer wire."""
    actions = body["actions"]
    context = {
        "FromUrl": body["contextFeatures"],
        "_multi": [{"_tag": a["id"], "i": {"constant": 1, "id": a["id"]}, "j": a["features"]} for a in actions],
    }
    scores = _workspace.predict(json.dumps({"a": list(range(1, len(actions) + 1)), "c": context}))
    (chosen,) = _source.choices(range(len(actions)), weights=scores)
    ranked = sorted(range(len(actions)), key=lambda i: -scores[i])
    ranking = [{"id": actions[i]["id"], "probability": scores[i]} for i in ranked]
    answer = {"ranking": ranking, "eventId": body["eventId"], "rewardActionId": actions[chosen]["id"]}
    return JSONResponse(answer, status_code=201)


app = FastAPI()
app.add_api_route("/rank", rank, methods=["POST"])
