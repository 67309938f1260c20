"""Every function of schema `api` as a call: what is asked, and what its answer becomes.

A call does nothing by itself; `Stage` and `AsyncStage` carry the same ones.
"""

from atlas_stage.calls.call import Call, Walk

__all__ = ["Call", "Walk"]
