"""A Ray cluster of two nodes on this machine, in a process of its own: python two_nodes.py.

It writes the cluster's address, and then obeys what it reads: ``kill`` kills the second node, the end of its input ends
the cluster.
"""

import sys
from typing import Any

from ray.cluster_utils import Cluster

if __name__ == "__main__":
    cluster: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    second = cluster.add_node(num_cpus=1)
    cluster.wait_for_nodes()
    print("ADDRESS", cluster.address, flush=True)
    for line in sys.stdin:
        if line.strip() == "kill":
            cluster.remove_node(second, allow_graceful=False)
    cluster.shutdown()
