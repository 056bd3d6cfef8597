"""Which records are one person: the connected components of records that share a value.

A graph algorithm, and so Python: scipy finds the components of millions of records in seconds,
where SQL would have to guess how long the longest chain is.
"""


def model(dbt, session):
    """Records (source, contact_id) with the number of the cluster that each belongs to."""
    dbt.config(materialized="table")

    import pyarrow as pa
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    records = dbt.ref("int_contact_records").order("source, contact_id").project("source, contact_id").to_arrow_table()
    values = dbt.ref("int_contact_values").filter("is_linking")
    numbered = session.from_arrow(
        records.append_column("node", pa.array(range(records.num_rows), pa.int64()))
    ).set_alias("numbered")  # fmt: skip
    edges = (
        values.set_alias("v")
        .join(numbered, "v.source = numbered.source and v.contact_id = numbered.contact_id")
        .project("numbered.node as node, v.kind || ':' || v.value as value")
        .project("node, min(node) over (partition by value) as first_node")
        .to_arrow_table()
    )
    size = records.num_rows
    nodes, first_nodes = edges["node"].to_numpy(), edges["first_node"].to_numpy()
    graph = coo_array(([True] * len(nodes), (nodes, first_nodes)), shape=(size, size))
    labels = connected_components(graph, directed=False)[1] if size else []
    return records.append_column("cluster_number", pa.array(labels, pa.int64()))
