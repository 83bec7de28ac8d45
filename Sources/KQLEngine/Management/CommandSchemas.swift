import Tables

/// The columns that management commands answer with.
///
/// From the commands' reference pages, https://learn.microsoft.com/kusto/management/.
enum CommandSchemas {
    /// Columns of text unless a type follows the name.
    private static func schema(_ text: String) -> Schema {
        Schema(
            text.split(separator: " ").map { word in
                let parts = word.split(separator: ":")
                return ColumnSpec(
                    String(parts[0]), parts.count > 1 ? ScalarType(name: String(parts[1])) ?? .string : .string)
            })
    }

    static let version = schema("BuildVersion BuildTime:datetime ServiceType ProductVersion ServiceOffering")
    static let databases = schema(
        "DatabaseName PersistentStorage Version IsCurrent:bool DatabaseAccessMode PrettyName "
            + "ReservedSlot1:bool DatabaseId:guid InTransitionTo SuspensionState"
    )
    static let database = schema(
        "DatabaseName PersistentStorage Version IsCurrent:bool DatabaseAccessMode PrettyName "
            + "CurrentUserIsUnrestrictedViewer:bool DatabaseId:guid InTransitionTo SuspensionState"
    )
    static let databaseDetails = schema(
        """
        DatabaseName PersistentStorage Version IsCurrent:bool DatabaseAccessMode PrettyName AuthorizedPrincipals \
        RetentionPolicy MergePolicy CachingPolicy ShardingPolicy StreamingIngestionPolicy IngestionBatchingPolicy \
        TotalSize:real DatabaseId:guid InTransitionTo NumberOfTables:int NumberOfExternalTables:int \
        NumberOfMaterializedViews:int EncryptionScope:int SuspensionState
        """)
    static let cluster = schema(
        """
        NodeId Address Name StartTime:datetime IsAdmin:bool MachineTotalMemory:long MachineAvailableMemory:long \
        ProcessorCount:int EnvironmentDescription NetAndClsVersion
        """)
    static let capacity = schema("Resource Total:long Consumed:long Remaining:long Origin")
    static let principals = schema(
        "Role PrincipalType PrincipalDisplayName PrincipalObjectId PrincipalFQN Notes")
    static let script = schema("DatabaseSchemaScript")
    static let tables = schema("TableName DatabaseName Folder DocString")
    static let tableDetails = schema(
        """
        TableName DatabaseName Folder DocString TotalExtents:long TotalExtentSize:real TotalOriginalSize:real \
        TotalRowCount:long HotExtents:long HotExtentSize:real HotOriginalSize:real HotRowCount:long \
        AuthorizedPrincipals RetentionPolicy CachingPolicy ShardingPolicy MergePolicy StreamingIngestionPolicy \
        IngestionBatchingPolicy MinExtentsCreationTime:datetime MaxExtentsCreationTime:datetime RowOrderPolicy TableId
        """)
    static let schema = schema("TableName Schema DatabaseName Folder DocString")
    static let databaseSchema = schema(
        "DatabaseName TableName ColumnName ColumnType IsDefaultTable:bool IsDefaultColumn:bool PrettyName Version")
    static let schemaJSON = schema("DatabaseSchema")
    static let functions = schema("Name Parameters Body Folder DocString")
    static let entities = schema(
        "DatabaseName EntityType EntityName DocString Folder CslInputSchema Content CslOutputSchema Properties:dynamic")

    static let queries = schema(
        """
        ClientActivityId Text Database StartedOn:datetime LastUpdatedOn:datetime Duration:timespan State \
        RootActivityId:guid User FailureReason TotalCpu:timespan CacheStatistics:dynamic Application \
        MemoryPeak:long ScannedExtentsStatistics:dynamic Principal ClientRequestProperties:dynamic \
        ResultSetStatistics:dynamic WorkloadGroup
        """)
    static let cancelled = schema("ClientRequestId ReasonPhrase RunningQueryCanceled:bool")

    /// Things that a workspace never has, so that there is nothing to show of them.
    static func alwaysEmpty(_ words: [String]) -> Schema? {
        switch words.dropFirst().joined(separator: " ") {
        case "external tables": return schema("TableName TableType Folder DocString Properties")
        case "materialized-views", "materialized-views details":
            return schema(
                """
                Name SourceTable Query MaterializedTo:datetime LastRun:datetime LastRunResult IsHealthy:bool \
                IsEnabled:bool Status Folder DocString AutoUpdateSchema:bool EffectiveDateTime:datetime \
                LastDefinitionUpdate:datetime Lookback:timespan LookbackColumn
                """)
        case "entity_groups": return schema("Name Entities")
        case "graph_models", "graph_models details": return schema("Name DatabaseName Model Folder DocString")
        case "graph_snapshots *", "graph_snapshots":
            return schema(
                "Name DatabaseName SnapshotTime:datetime ModelName ModelId:guid NodesCount:long EdgesCount:long")
        case "ingestion failures":
            return schema(
                """
                OperationId Database Table FailedOn:datetime IngestionSourcePath Details FailureKind RootActivityId \
                OperationKind OriginatesFromUpdatePolicy:bool ErrorCode Principal User IngestionProperties \
                NumberOfSources ShouldRetry:bool
                """)
        case "operations":
            return schema(
                "OperationId Operation NodeId StartedOn:datetime LastUpdatedOn:datetime Duration:timespan "
                    + "State Status RootActivityId ShouldRetry:bool Database Principal User "
                    + "AdminEpochStartTime:datetime"
            )
        case "commands-and-queries":
            return schema(
                """
                ClientActivityId CommandType Text Database StartedOn:datetime LastUpdatedOn:datetime \
                Duration:timespan State FailureReason RootActivityId:guid User Application Principal \
                ClientRequestProperties:dynamic TotalCpu:timespan MemoryPeak:long CacheStatistics:dynamic \
                ScannedExtentsStatistics:dynamic ResultSetStatistics:dynamic WorkloadGroup
                """)
        default:
            if words.count > 3, words[1] == "table", words.suffix(1) == ["mappings"] {
                return schema("Name Kind Mapping LastUpdatedOn:datetime Database Table")
            }
            return nil
        }
    }
}
