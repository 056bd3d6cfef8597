"""The doors of the pipeline, as Great Expectations suites: what comes in (`inbound`), what is about to
be published (`marts`), what is about to be sent (`outbound`). `gate` is how they run."""
