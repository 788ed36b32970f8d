"""Bundles: what a website ships to every visitor, and the source maps that lead back.

mappings     positions in a bundle to positions in its sources
sourcemap    the JSON around them
script       what a bundle says of its map, and its positions in a map's units
shipped      whether a file goes to every visitor
"""
