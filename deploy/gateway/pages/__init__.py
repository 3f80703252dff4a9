"""The pages that the gateway serves by itself: `/docs` and `/openapi.json`, of both services' documents."""
