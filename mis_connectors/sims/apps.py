from mis_connectors.registry import MisConnectorConfig


class SimsConfig(MisConnectorConfig):
    name = "mis_connectors.sims"
    label = "mis_sims"
    connector_path = "mis_connectors.sims.connector.SimsConnector"
