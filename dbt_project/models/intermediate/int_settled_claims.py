"""Which cluster goes on with which id, where a cluster could go on with several or several with one.

Each cluster asks for the id that it would rather have; an id that is asked for twice stays with the cluster to which
it belongs first, and the other asks for its next (the stable matching of Gale and Shapley). Who asks first does not
matter. It takes as many steps as it takes, and so Python.
"""


def model(dbt, session):
    """The claims that hold: (cluster_number, customer_id), each at most once."""
    dbt.config(materialized="table")

    import pyarrow as pa

    contested = dbt.ref("int_customer_id_claims").filter("is_contested").order("cluster_number, cluster_rank desc")
    columns = contested.project("cluster_number, customer_id, id_rank").to_arrow_table().to_pydict()
    wishes = {}
    for cluster, customer_id, rank in zip(*columns.values(), strict=True):
        wishes.setdefault(cluster, []).append((customer_id, rank))
    holders = {}
    for cluster in wishes:
        asking = (None, cluster)
        while asking and wishes[asking[1]]:
            customer_id, rank = wishes[asking[1]].pop()
            other, mine = holders.get(customer_id), (rank, asking[1])
            if other is None or mine < other:
                holders[customer_id], asking = mine, other
    settled = sorted((cluster, customer_id) for customer_id, (_, cluster) in holders.items())
    return pa.table({
        "cluster_number": pa.array([cluster for cluster, _ in settled], pa.int64()),
        "customer_id": pa.array([customer_id for _, customer_id in settled], pa.string()),
    })  # fmt: skip
