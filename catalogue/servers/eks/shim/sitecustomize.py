"""Asks for a cluster anew at every call, so that no call works with what another one was given.

awslabs.eks-mcp-server keeps a cluster's client for 14 minutes, with the Kubernetes token that it signed as the first
call's session. The next call would not ask eks:DescribeCluster, whose condition on the sandbox's tag is the lock, and
the cluster's audit log would name the wrong person. Python imports this module before the server, which stays as it was
published.
"""

from __future__ import annotations

from typing import Any

from awslabs.eks_mcp_server.k8s_client_cache import K8sClientCache

_kept = K8sClientCache.get_client


def _anew(self: Any, cluster_name: str) -> Any:
    """Take the place of `get_client`: forget every client, then make one with the credentials of this call."""
    self._client_cache.clear()
    return _kept(self, cluster_name)


K8sClientCache.get_client = _anew
