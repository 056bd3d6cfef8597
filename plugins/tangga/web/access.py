"""Who may see what. Airflow's auth manager decides, by permissions and never by the names of roles:

READ     figures and masked members: whoever may see the DAG that delivers the lists
PERSONS  people and lists with addresses: whoever may start it

What is looked at of persons is written to Airflow's audit log.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from airflow.api_fastapi.app import get_auth_manager
from airflow.api_fastapi.auth.managers.models.resource_details import DagAccessEntity, DagDetails
from airflow.api_fastapi.core_api.security import GetUserDep, requires_access_dag
from airflow.api_fastapi.logging.decorators import action_logging
from airflow.configuration import conf
from fastapi import Depends, HTTPException, Request

DAG = "crm_activate"


def own_origin(request: Request) -> None:
    """Refuses whatever another site makes a browser send; Airflow's cookie alone would let it in. A client that is no
    browser says neither where it comes from nor anything by accident: it has to give Airflow's token itself."""
    if request.method in ("GET", "HEAD"):
        return
    if request.headers.get("sec-fetch-site", "same-origin") != "same-origin":
        raise HTTPException(403, "This form was not sent from this page.")
    origin = request.headers.get("origin")
    if origin is None:
        if "authorization" not in request.headers:
            raise HTTPException(403, "This form does not say from which page it was sent.")
        return
    # Behind a proxy the address that people type is the one in Airflow's own settings.
    own = {request.url.netloc, urlsplit(conf.get("api", "base_url", fallback="")).netloc}
    if urlsplit(origin).netloc not in own:
        raise HTTPException(403, "This form was not sent from this page.")


def tell(request: Request, user: GetUserDep) -> None:
    """Tells the templates what somebody may, so that nobody is shown links that would be refused."""

    def may(method, entity) -> bool:
        return get_auth_manager().is_authorized_dag(
            method=method, access_entity=entity, details=DagDetails(id=DAG), user=user
        )

    request.state.may_see_persons = may("POST", DagAccessEntity.RUN)
    request.state.may_answer = may("PUT", DagAccessEntity.HITL_DETAIL)


READ = [Depends(own_origin), Depends(requires_access_dag("GET", None, DAG)), Depends(tell)]
PERSONS = Depends(requires_access_dag("POST", DagAccessEntity.RUN, DAG))


def noted(event: str) -> list:
    """Guards of a route that shows persons: the permission, and then the line in the audit log."""
    return [PERSONS, Depends(action_logging(event))]


def login_page(request: Request) -> str:
    """Where a browser is sent that nobody is logged in with; it comes back here afterwards."""
    return get_auth_manager().get_url_login(next_url=str(request.url))
