"""The cluster `ray`: the questions of a batch are answered by actors on the nodes of a Ray cluster.

An actor is a desk: it loads the model on its node once, or asks the server that the settings name, and answers one
question after another. One that dies is started again by Ray, and its question is asked of another. hds has to be
installed on every node, in the same version, with the model and the collections that the settings name; keys of search
services are taken from each node's own environment.
"""

from hds_ray.cluster import RayCluster

__all__ = ["RayCluster"]
