import { answers, whole } from "../../../../../lib/database";
import { setStage } from "../../../../../lib/moves";

export const PATCH = answers(async (actor, request, params) =>
  setStage(actor, whole(params.id), await request.json()),
);
