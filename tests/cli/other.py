"""An app without the flow that is looked for."""

from esflow import Flow

flow = Flow("other", version="1")
